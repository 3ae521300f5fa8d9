/** What a part of a payload was, and what it becomes, as it is shown; left out where there is none. */
export interface PayloadChange {
  readonly field: string;
  readonly from?: string;
  readonly to?: string;
}

/** A part of a payload that is another; undefined where there is none. */
interface Part {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

export const payloadField = 'task.payload';

/** Parts that lie deeper are shown as one. */
const depthMax = 8;
/** Of parts that differ so many are listed, then the payload as such. */
const listedMax = 10;
/** Of a value so many characters are shown, and before the first that differs so many. */
const shownMax = 60;
const leadMax = 15;

/**
 * The parts in which two payloads differ, each short: a line for a person who changes one, not a copy of it. Two that differ only
 * in the order of their fields are one line without a value.
 */
export function payloadChanges(from: unknown, to: unknown): PayloadChange[] {
  const parts = differing({ field: payloadField, from, to }, depthMax);
  const listed = parts.slice(0, listedMax).map(({ field, ...part }) => ({ field, ...shownPart(part) }));
  return parts.length > listedMax || parts.length === 0 ? [...listed, { field: payloadField }] : listed;
}

function differing(part: Part, depth: number): Part[] {
  const { field, from, to } = part;
  if (depth > 0 && isOfParts(from) && isOfParts(to) && Array.isArray(from) === Array.isArray(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) =>
      differing(
        { field: `${field}${inPath(name, Array.isArray(to))}`, from: own(from, name), to: own(to, name) },
        depth - 1,
      ),
    );
  }
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [part];
}

type Parts = Readonly<Record<string, unknown>>;

function isOfParts(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null;
}

function own(value: Parts, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function inPath(name: string, isIndex: boolean): string {
  if (isIndex) return `[${name}]`;
  return /^[\w-]{1,40}$/.test(name) ? `.${name}` : `[${cut(JSON.stringify(name), 0)}]`;
}

/** From a little before the first character that differs, where the values are long. */
function shownPart({ from, to }: Omit<Part, 'field'>): { from?: string; to?: string } {
  const [was, is] = [from, to].map((value) => (value === undefined ? undefined : JSON.stringify(value)));
  const startAt = was === undefined || is === undefined ? 0 : startOf(was, is);
  return {
    ...(was !== undefined && { from: cut(was, startAt) }),
    ...(is !== undefined && { to: cut(is, startAt) }),
  };
}

function startOf(one: string, other: string): number {
  if (Math.max(one.length, other.length) <= shownMax) return 0;
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return Math.max(0, at - leadMax);
}

function cut(text: string, startAt: number): string {
  const shown = text.slice(startAt, startAt + shownMax);
  return `${startAt > 0 ? '…' : ''}${shown}${startAt + shownMax < text.length ? '…' : ''}`;
}
