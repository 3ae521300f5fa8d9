/**
 * The commands the scripts are made of. Redis does not roll a script back: each command may be the last one that a torn
 * script does. Writing a record begins a life, removing it ends one: that is the truth the rest is judged by.
 */
import type { Broken, Letter, Life, Pending, Redis, State, TaskRecord } from './state.js';
import type { Rules } from './rules.js';

export class Torn extends Error {}
const torn = new Torn('the script ends here');

/** One run of a script. */
export class Run {
  readonly state: State;
  readonly redis: Redis;
  readonly rules: Rules;
  readonly lease: (consumer: number) => number;
  #writesLeft: number;

  constructor(
    state: State,
    world: { rules: Rules; leases: readonly number[] },
    writesMax: number = Number.POSITIVE_INFINITY,
  ) {
    this.state = state;
    this.redis = state.redis;
    this.rules = world.rules;
    // A name is 10 for each connection, and the consumer's place in the last digit.
    this.lease = (name) => world.leases[name % 10] ?? 1;
    this.#writesLeft = writesMax;
  }

  get now(): number {
    return this.state.now;
  }

  breaks(what: Broken): void {
    this.state.broken.push(what);
  }

  write(): void {
    if (this.#writesLeft === 0) throw torn;
    this.#writesLeft -= 1;
  }

  zadd(id: number, due: number): void {
    this.write();
    this.redis.due[id] = due;
  }

  zrem(id: number): void {
    this.write();
    this.redis.due[id] = null;
  }

  xadd(id: number, due: number): number {
    this.write();
    this.redis.lastEntry += 1;
    this.redis.stream.push({ no: this.redis.lastEntry, id, due });
    return this.redis.lastEntry;
  }

  xack(no: number): void {
    this.write();
    this.redis.pending = this.redis.pending.filter((one) => one.no !== no);
  }

  xdel(no: number): void {
    this.write();
    this.redis.stream = this.redis.stream.filter((one) => one.no !== no);
  }

  setLive(id: number, entry: number | null): void {
    this.write();
    this.redis.live[id] = entry;
  }

  setRecord(id: number, record: TaskRecord): void {
    this.write();
    if (this.redis.tasks[id]) this.breaks('LOST'); // a life that nobody ended
    this.redis.tasks[id] = record;
  }

  endRecord(id: number, end: NonNullable<Life['end']>): void {
    this.write();
    const life = this.lifeOf(id);
    if (life) life.end = end;
    this.redis.tasks[id] = null;
    this.redis.expiry[id] = null;
  }

  addLetter(id: number, record: TaskRecord): void {
    this.write();
    this.redis.lastLetter += 1;
    const letter: Letter = { no: this.redis.lastLetter, id, record };
    const others = this.rules.numberedLetters ? this.redis.dead : this.redis.dead.filter((one) => one.id !== id);
    this.redis.dead = [...others, letter];
  }

  removeLetter(no: number): void {
    this.write();
    this.redis.dead = this.redis.dead.filter((one) => one.no !== no);
  }

  claim(pending: Pending, claimed: Partial<Pending>): void {
    this.write();
    const { pending: all } = this.redis;
    this.redis.pending = all.map((one) =>
      one.no === pending.no ? { ...one, sign: this.now, ghostSilent: 0, ...claimed } : one,
    );
  }

  pendingOf(no: number | null | undefined): Pending | undefined {
    return this.redis.pending.find((one) => one.no === no);
  }

  lifeOf(id: number): Life | undefined {
    return this.life(this.redis.tasks[id]?.ghostLife);
  }

  life(no: number | undefined): Life | undefined {
    return this.redis.ghostLives.find((one) => one.no === no);
  }

  /** The record of a new life, to be written where the script does. */
  newLife(id: number, life: { due: number; by: string; expires?: number | null; isWhole?: boolean }): TaskRecord {
    const { due, by, expires = null, isWhole = true } = life;
    if (by !== '' && this.redis.ghostLives.some((one) => one.by === by)) this.breaks('ADDED_TWICE');
    this.state.lives += 1;
    const no = this.state.lives;
    const begun = { starts: 0, isExcused: false, end: null, settledBy: 0 };
    this.redis.ghostLives.push({ no, id, due, expires, by, ...begun });
    return { ghostLife: no, isWhole };
  }
}
