import { shown } from '../duration.js';
import { invalid } from '../errors.js';
import { Kept } from './kept.js';

/**
 * Where the clocks of a zone stand. Node knows zones through Intl alone, which gives the offset at an instant but no list of
 * changes. So they are looked for, a stretch of 400 days at a time: the offset at each of its days, and where two differ,
 * the very ms between them. A stretch costs about 0.4 ms once; after that a look-up is a walk over a handful of segments.
 */

/** A time in which the offset stays the same. Its ends need not be changes: a segment also ends where its stretch does. */
export interface Segment {
  readonly fromMs: number;
  /** The first instant that is no longer in it. */
  readonly toMs: number;
  /** Local time less UTC. */
  readonly offsetMs: number;
  readonly offsetBeforeMs: number;
  readonly offsetAfterMs: number;
}

const dayMs = 86_400_000;
const stretchMs = 400 * dayMs;
/** Stretches overlap, so that a change near the end of one is seen whole, with the hours that it repeats or leaves out. */
const marginMs = 2 * dayMs;
const zonesKept = 1_000;
const stretchesKept = 50;

export class Zone {
  /** As Intl spells it, which is another name where this one is an alias. */
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #stretches: Kept<readonly Segment[]> = new Kept({ max: stretchesKept }, (index) =>
    this.#stretch(Number(index)),
  );
  /** Most look-ups are for the same stretch as the last. */
  #last: { index: number; segments: readonly Segment[] } | undefined;

  /** Throws a RangeError when Intl does not know the zone. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    this.name = this.#format.resolvedOptions().timeZone;
  }

  segmentAt(atMs: number): Segment {
    const index = Math.floor(atMs / stretchMs);
    if (this.#last?.index !== index) this.#last = { index, segments: this.#stretches.of(String(index)) };
    const { segments } = this.#last;
    return segments.find(({ toMs }) => atMs < toMs) ?? (segments.at(-1) as Segment);
  }

  #stretch(index: number): Segment[] {
    const segments: Segment[] = [];
    const endMs = (index + 1) * stretchMs + marginMs;
    let fromMs = index * stretchMs - marginMs;
    let offsetMs = this.#offsetAt(fromMs);
    let offsetBeforeMs = offsetMs;
    while (fromMs < endMs) {
      const toMs = this.#changeAfter({ fromMs, endMs, offsetMs });
      const offsetAfterMs = this.#offsetAt(toMs);
      segments.push({ fromMs, toMs, offsetMs, offsetBeforeMs, offsetAfterMs });
      [fromMs, offsetBeforeMs, offsetMs] = [toMs, offsetMs, offsetAfterMs];
    }
    return segments;
  }

  /** The first instant with another offset, or `endMs`. */
  #changeAfter({ fromMs, endMs, offsetMs }: { fromMs: number; endMs: number; offsetMs: number }): number {
    for (let sameMs = fromMs; sameMs < endMs; ) {
      const laterMs = Math.min(sameMs + dayMs, endMs);
      if (this.#offsetAt(laterMs) !== offsetMs) return this.#boundary({ sameMs, otherMs: laterMs, offsetMs });
      sameMs = laterMs;
    }
    return endMs;
  }

  #boundary({ sameMs, otherMs, offsetMs }: { sameMs: number; otherMs: number; offsetMs: number }): number {
    let [low, high] = [sameMs, otherMs];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === offsetMs) low = middle;
      else high = middle;
    }
    return high;
  }

  #offsetAt(atMs: number): number {
    const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] =
      /GMT(?:([+\-\u2212])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(this.#format.format(atMs)) ?? [];
    const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    return sign === '+' ? ms : -ms;
  }
}

const zones = new Kept({ max: zonesKept }, (name) => new Zone(name));

export function zoneOf(name: string): Zone {
  return zones.of(name);
}

/** The name in the spelling it is kept in; `ERR_INVALID_ARGUMENT` when there is no such zone. */
export function zoneName(value: unknown): string {
  const wanted = 'tz must be the IANA name of a zone, such as Europe/Berlin or UTC';
  // Offsets such as +05:30 are known to some versions of Node only, and no zone.
  if (typeof value !== 'string' || value.length > 64 || !/^[A-Za-z]/.test(value)) {
    throw invalid(`${wanted}, got ${shown(value)}`);
  }
  try {
    const { name } = zoneOf(value);
    return name.toLowerCase() === value.toLowerCase() ? name : value;
  } catch {
    throw invalid(`${wanted}, got ${shown(value)}`);
  }
}
