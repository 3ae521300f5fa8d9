import { countNames } from './ground.js';

/** One handing-over, as the ledger knows it. */
export interface Holder {
  readonly consumer: string;
  readonly entry: string;
  readonly count: number;
  /** Of this handing-over among all of a run. */
  readonly serial: number;
  opened: boolean;
  idleMs: number;
}

/** One life of an id: from an add that was accepted to its one end. */
export interface Life {
  readonly n: number;
  readonly id: string;
  readonly name: string;
  dueMs: number;
  readonly expiresMs: number | undefined;
  attempt: number;
  /** Deliveries of this attempt that were lost before one was handed back: the next count goes on from them. */
  lost?: number;
  /** adrift: an operator took its place away; the sweep puts it back. */
  place: 'scheduled' | 'ready' | 'active' | 'adrift';
  holder: Holder | undefined;
  /** Who had it when its group was destroyed. */
  former?: Holder;
  /** It was due, and then the server's clock went back. */
  isEarly?: boolean;
}

export interface ForeignEntry {
  consumer: string | undefined;
  idleMs: number;
  /** Of one that was a delivery once. */
  readonly count?: number;
}

export interface Past {
  readonly state: 'cancelled' | 'expired' | 'dead';
  readonly n: number;
  readonly entry: string | undefined;
}

export type CountName = (typeof countNames)[number];

/** A pause between two looks for abandoned deliveries that was too long to be anything but an outage. */
interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  /** The length of its last part, where it has several. */
  readonly lastMs: number;
}

/**
 * What must be true: the lives of all ids, in the words of the design and in none of the scripts'. The judge moves it on
 * by what each script answers, refusing what a script may not say; after each step `words` must be what the look at
 * Redis gives. It is a value: a snapshot of Redis has a clone of it at its side.
 */
export class Ledger {
  readonly lives: Map<string, Life> = new Map();
  /** Members of `due` that stand for no scheduled task: an operator's ZADD. */
  readonly strays: Map<string, number> = new Map();
  /** Entries that somebody else put into the stream, which count for nothing; with whom they are pending, if anybody. */
  readonly foreign: Map<string, ForeignEntry> = new Map();
  readonly past: Map<string, Past> = new Map();
  /** Lives whose add was accepted. */
  readonly accepted: Set<number> = new Set();
  /** Lives that are dead letters. */
  readonly letters: Set<number> = new Set();
  readonly lanes: Map<string, { call: number; reply: string }> = new Map();
  readonly consumers: Map<string, { leaseMs: number; beatMs: number }> = new Map();
  readonly counts: Record<CountName, number> = Object.fromEntries(countNames.map((name) => [name, 0])) as Record<
    CountName,
    number
  >;
  hasGroup = false;
  /** How often the group was made. */
  group = 0;
  isPaused = false;
  term = '';
  token = '';
  lookedAtMs: number | undefined;
  outage: Outage | undefined;

  clone(): Ledger {
    const other = new Ledger();
    for (const [id, life] of this.lives) other.lives.set(id, { ...life, holder: life.holder && { ...life.holder } });
    for (const [id, score] of this.strays) other.strays.set(id, score);
    for (const [entry, foreign] of this.foreign) other.foreign.set(entry, { ...foreign });
    for (const [id, past] of this.past) other.past.set(id, past);
    for (const n of this.letters) other.letters.add(n);
    for (const n of this.accepted) other.accepted.add(n);
    for (const [lane, last] of this.lanes) other.lanes.set(lane, last);
    for (const [name, consumer] of this.consumers) other.consumers.set(name, consumer);
    Object.assign(other.counts, this.counts);
    const { hasGroup, group, isPaused, term, token, lookedAtMs, outage } = this;
    Object.assign(other, { hasGroup, group, isPaused, term, token, lookedAtMs, outage });
    return other;
  }

  get active(): Life[] {
    return [...this.lives.values()].filter(({ place }) => place === 'active');
  }

  holdsNothing(consumer: string): boolean {
    const isIts = (held: { consumer: string | undefined } | undefined): boolean => held?.consumer === consumer;
    return ![...this.foreign.values()].some(isIts) && !this.active.some(({ holder }) => isIts(holder));
  }

  /** All that is pending, and grows idle. */
  pending(): { entry: string; held: { idleMs: number } }[] {
    const ours = this.active.flatMap(({ holder }) => (holder ? [{ entry: holder.entry, held: holder }] : []));
    const others = [...this.foreign].flatMap(([entry, held]) => (held.consumer === undefined ? [] : [{ entry, held }]));
    return [...ours, ...others];
  }

  hasUnread(): boolean {
    const isReady = ({ place }: Life): boolean => place === 'ready';
    const isUnread = ({ consumer }: ForeignEntry): boolean => consumer === undefined;
    return [...this.lives.values()].some(isReady) || [...this.foreign.values()].some(isUnread);
  }

  /** The life that is held just so, if it is. */
  heldAs(id: string, by: { consumer: string; entry: string; count: number }): Life | undefined {
    const life = this.lives.get(id);
    const { holder } = life ?? {};
    const isSo = holder?.consumer === by.consumer && holder.entry === by.entry && holder.count === by.count;
    return isSo ? life : undefined;
  }

  count(name: CountName, by = 1): void {
    this.counts[name] += by;
  }

  schedule(life: Life, dueMs: number): void {
    life.place = 'scheduled';
    life.isEarly = false;
    life.dueMs = dueMs;
    life.holder = undefined;
    this.strays.delete(life.id);
  }

  makeReady(life: Life): void {
    life.place = 'ready';
    life.holder = undefined;
  }

  end(life: Life, how: 'complete' | 'bury' | 'cancelled' | 'expired', entry?: string): void {
    this.lives.delete(life.id);
    this.count(how);
    if (how === 'complete') return;
    const state = how === 'bury' ? 'dead' : how;
    this.past.set(life.id, { state, n: life.n, entry: entry ?? life.holder?.entry });
    if (how === 'bury') this.letters.add(life.n);
  }

  /** By hand: its entry counts for nothing now, whoever holds it. */
  forget({ id, holder }: Life): void {
    this.lives.delete(id);
    if (holder) this.foreign.set(holder.entry, { ...holder });
  }

  /** Deliveries grow idle; by the server's clock, which may go back. */
  pass(ms: number): void {
    for (const { held } of this.pending()) held.idleMs = Math.max(0, held.idleMs + ms);
    if (ms < 0) for (const life of this.lives.values()) life.isEarly = life.place !== 'scheduled';
  }

  /** Everything pending is forgotten by Redis; what has its entry is ready again. */
  loseGroup(): void {
    this.hasGroup = false;
    for (const life of this.active) {
      if (life.holder?.count === 1) life.former = life.holder;
      this.makeReady(life);
    }
    for (const foreign of this.foreign.values()) foreign.consumer = undefined;
  }

  loseStream(): void {
    this.loseGroup();
    this.foreign.clear();
    for (const life of this.lives.values()) if (life.place === 'ready') life.place = 'adrift';
  }

  words(): string {
    const ids = [...new Set([...this.lives.keys(), ...this.strays.keys()])].sort();
    const lines = ids.map((id) => this.#wordsOf(id));
    const { cancelled, expired } = this.counts;
    const ends = `dead ${this.letters.size} ended ${cancelled + expired}`;
    lines.push(`stale ${this.foreign.size} ${ends} paused ${this.isPaused ? 1 : 0} epoch ${this.term}:${this.token}`);
    lines.push(countNames.map((name) => `${name} ${this.counts[name]}`).join(' '));
    return lines.join('\n');
  }

  #wordsOf(id: string): string {
    const life = this.lives.get(id);
    const stray = this.strays.get(id);
    if (life === undefined) return `${id} - a1 x- due ${stray}`;
    const { n, attempt, expiresMs, place, holder, dueMs } = life;
    let words = `${id} ${n} a${attempt} x${expiresMs ?? '-'}`;
    if (place === 'scheduled') return `${words} due ${dueMs}`;
    words += ` ${place}`;
    if (holder) words += ` ${holder.consumer} ${holder.entry} ${holder.count}`;
    return stray === undefined ? words : `${words} due ${stray}`;
  }
}
