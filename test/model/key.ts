/**
 * One key for all states that go on alike. What no rule can tell apart gets one name: entries, deliveries and lives are
 * numbered by their order, what is long over or no longer asked for is left out, and two consumers of the same kind may
 * change places.
 */
import { hash } from 'node:crypto';
import type { Call, Consumer, Held, Life, Redis, State } from './state.js';

type Part = number | string | null | undefined;

export function keyOf(state: State): string {
  return hash('sha1', new Key(state).text, 'base64');
}

class Key {
  readonly #parts: Part[] = [];
  readonly #state: State;
  readonly #lives = new Map<number, number>();
  readonly #deliveries = new Map<number, number>();
  readonly #entries: readonly number[];
  readonly #outstanding: readonly Call[];
  readonly #lanesCount: boolean;
  readonly #order: readonly number[];

  constructor(state: State) {
    this.#state = state;
    const callers = [...state.producers, ...state.consumers];
    this.#outstanding = [...state.copies, ...callers.flatMap(({ unanswered }) => unanswered ?? [])];
    const { lost, copies, torn } = state.left;
    this.#lanesCount = lost + copies + torn > 0 || this.#outstanding.length > 0;
    this.#entries = entriesIn(state, this.#outstanding);
    this.#order = orderOf(state);
    this.#write();
  }

  get text(): string {
    return this.#parts.join();
  }

  #put(...parts: Part[]): void {
    this.#parts.push(...parts, '|');
  }

  #write(): void {
    const state = this.#state;
    const { now, lock, tokens, isBent, left } = state;
    this.#put(now, lock, tokens, isBent ? 1 : 0, ...Object.values(left));
    this.#redis(state.redis);
    if (state.replica) this.#redis(state.replica);
    for (const c of this.#order) this.#consumer(state.consumers[c] as Consumer);
    for (const { number, unanswered, left } of state.producers) {
      this.#put(this.#lanesCount ? number : 0, ...left);
      this.#call(unanswered);
    }
    for (const { read, hasWon, seat } of state.leaders) {
      this.#put(read?.term, read?.token, hasWon ? 1 : 0, seat?.term, seat?.token);
    }
    for (const call of state.copies) this.#call(call);
  }

  #redis(redis: Redis): void {
    const { looks, epoch } = redis;
    const { freezes } = this.#state.left;
    const seen = looks.gap > 0 || freezes > 0 ? [looks.seen, looks.gap, looks.last, looks.gapEnd] : [];
    const beats = seen.length > 0 ? this.#order.map((c) => redis.beats[c]) : [];
    this.#put(redis.paused ? 1 : 0, ...redis.due, ...redis.expiry, ...seen, ...beats, epoch.term, epoch.token);
    for (const record of redis.tasks) this.#put(this.#life(record?.ghostLife), record?.isWhole === false ? 1 : 0);
    this.#put(...redis.live.map((no) => this.#entry(no)), this.#delivered(redis));
    for (const { no, id, due } of redis.stream) this.#put(this.#entry(no), id, due);
    for (const one of redis.pending) {
      const { no, owner, count, sign, ghostSilent, ghostDelivery } = one;
      this.#put(this.#entry(no), this.#name(owner), count, sign, ghostSilent, this.#delivery(ghostDelivery));
    }
    for (const { no, id, record } of redis.dead) this.#put(no, id, this.#life(record.ghostLife));
    if (this.#lanesCount) this.#lanes(redis);
    for (const life of redis.ghostLives) this.#ghost(life);
  }

  #lanes(redis: Redis): void {
    const producers = this.#state.producers.length;
    const lanes = [...redis.lanes.keys()];
    const order = [...lanes.slice(0, producers), ...this.#order.map((c) => producers + c)];
    for (const lane of order) this.#put(redis.lanes[lane]?.number, redis.lanes[lane]?.reply);
  }

  /** Of a life that is over only what may still be asked for. */
  #ghost({ no, due, expires, by, starts, isExcused, end, settledBy }: Life): void {
    const isAsked = this.#outstanding.some(({ lane, number }) => by === `${lane}#${number}`);
    const isTold = this.#outstanding.some(({ held }) => held?.ghostDelivery === settledBy);
    if (end !== null && end !== 'dead' && !isAsked && !isTold) return;
    const told = isTold ? this.#delivery(settledBy) : 0;
    const dueFrom = Math.max(due, this.#state.now);
    this.#put(this.#life(no), dueFrom, expires, isAsked ? by : '', starts, isExcused ? 1 : 0, end, told);
  }

  #consumer({ name, held, number, unanswered, isStuck }: Consumer): void {
    this.#put(this.#name(name), this.#lanesCount ? number : 0, isStuck ? 1 : 0);
    for (const one of held) this.#held(one);
    this.#call(unanswered);
  }

  #held({ no, owner, count, id, due, phase, ghostDelivery, ghostLife }: Held): void {
    const ghost = [this.#delivery(ghostDelivery), this.#life(ghostLife)];
    this.#put(this.#entry(no), this.#name(owner), count, id, due, phase, ...ghost);
  }

  #call(call: Call | null): void {
    if (!call) return this.#put('-');
    const { lane, number, verb, id, at, expires, held, ghostLife } = call;
    const producers = this.#state.producers.length;
    const place = lane < producers ? lane : producers + this.#order.indexOf(lane - producers);
    const life = ghostLife === 'any' ? ghostLife : this.#life(ghostLife);
    this.#put(place, number, verb, id, at, expires, life);
    if (held) this.#held(held);
  }

  #name(name: number): number {
    const connection = Math.floor(name / 10);
    return connection * 10 + this.#order.indexOf(name % 10);
  }

  #life(no: number | null | undefined): number {
    return inOrder(this.#lives, no);
  }

  #delivery(no: number): number {
    return inOrder(this.#deliveries, no);
  }

  /** With a replica about, a number may be issued again: then each is kept as it is. */
  #entry(no: number | null | undefined): Part {
    if (no === null || no === undefined || this.#state.replica) return no;
    return this.#entries.indexOf(no);
  }

  #delivered({ delivered, lastEntry }: Redis): string {
    if (delivered === null || this.#state.replica) return `${delivered} ${lastEntry}`;
    return `${this.#entries.filter((no) => no <= delivered).length}`;
  }
}

function inOrder(known: Map<number, number>, no: number | null | undefined): number {
  if (no === null || no === undefined || no === 0) return 0;
  const place = known.get(no) ?? known.size + 1;
  known.set(no, place);
  return place;
}

function entriesIn({ redis, consumers }: State, outstanding: readonly Call[]): number[] {
  const all = [
    ...redis.stream.map(({ no }) => no),
    ...redis.pending.map(({ no }) => no),
    ...redis.live.flatMap((no) => no ?? []),
    ...consumers.flatMap(({ held }) => held.map(({ no }) => no)),
    ...outstanding.flatMap(({ held }) => held?.no ?? []),
  ];
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Two consumers with the same lease are told apart by nothing but what they hold. */
function orderOf({ consumers }: State): number[] {
  const order = [...consumers.keys()];
  const isAlike = consumers.length === 2 && consumers[0]?.lease === consumers[1]?.lease;
  if (isAlike && signOf(consumers[0]) > signOf(consumers[1])) order.reverse();
  return order;
}

function signOf(consumer: Consumer | undefined): string {
  if (!consumer) return '';
  const { name, held, number, unanswered, isStuck } = consumer;
  const of = held.map(({ no, count, phase }) => `${no} ${count} ${phase}`);
  return `${of.join()} ${Math.floor(name / 10)} ${number} ${unanswered?.verb} ${isStuck}`;
}
