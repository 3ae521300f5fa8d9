import { messageOf } from '../../src/errors.js';
import type { Actor, Stage } from './actor.js';
import { atTime, type Handed, scriptOf, Violation } from './case.js';
import { Draws } from './draws.js';
import { type Ground, keys } from './ground.js';
import { judge } from './judge.js';
import { LeaderActor } from './leader-actor.js';
import { Ledger } from './ledger.js';
import { ProducerActor } from './producer-actor.js';
import type { Outcome, Request, Wire } from './wire.js';
import { WorkerActor } from './worker-actor.js';

export const startMs = 1_800_000_000_000;

/** Every moment is a whole number of these: what Redis' own clock adds meanwhile is then told apart, and taken off. */
export const quantumMs = 250;

/** No idle time is ever near a lease: what is over one is so by a quantum, what is not has as long for a machine that is slow. */
const workers = {
  w1: { leaseMs: 6_240, knows: ['plain'] },
  w2: { leaseMs: 6_240, knows: ['plain', 'rare'] },
  w3: { leaseMs: 12_240, knows: ['plain', 'rare'] },
} as const;

/** How much an idle time may be off, beyond the real time since it was set. */
const idleSlackMs = 50;

/** The actors, the real Redis, and the ledger of what must be true; one command at a time. */
export class World {
  readonly ground: Ground;
  readonly actors: Map<string, Actor> = new Map();
  readonly met: Set<string> = new Set();
  /** Connections that are gone, with what is still on its way. */
  ghosts: Request[][] = [];
  ledger: Ledger = new Ledger();
  nowMs: number = startMs;
  violation: Violation | undefined;
  /** Commands that have run. */
  ran = 0;
  readonly #stage: Stage;
  readonly #snapshots = new Map<number, { ledger: Ledger; passedMs: number }>();
  readonly #finished = new Map<number, 'returned' | 'failed'>();
  readonly #entriesSeen = new Map<string, number>();
  #passedMs = 0;
  #lives = 0;
  #serials = 0;
  #deletedStreams = 0;
  #idleSetAtMs = 0;

  constructor(ground: Ground, seed: number) {
    this.ground = ground;
    const everAccepted = new Set<number>();
    this.#stage = {
      draws: new Draws(seed ^ 0x5eed),
      met: (what) => this.met.add(what),
      violated: (violation) => {
        this.violation ??= violation;
      },
      onLost: (_wire, onTheWay) => this.ghosts.push(onTheWay),
      nextLife: () => (this.#lives += 1),
      isAccepted: (n) => this.ledger.accepted.has(n),
      everAccepted,
      toldNever: new Set(),
      finish: (serial, how) => this.#finished.set(serial, how),
    };
    this.#everAccepted = everAccepted;
    for (const name of [...Object.keys(workers), 'l1', 'l2', 'p1', 'p2']) this.revive(name);
  }

  readonly #everAccepted: Set<number>;

  /** A process of this name starts; whatever had the name is no more. */
  revive(name: string): void {
    const of = workers[name as keyof typeof workers] as (typeof workers)[keyof typeof workers] | undefined;
    if (of) this.actors.set(name, new WorkerActor(name, this.#stage, of));
    else if (name.startsWith('l')) this.actors.set(name, new LeaderActor(name, this.#stage));
    else this.actors.set(name, new ProducerActor(name, this.#stage));
  }

  wires(): { wire: Wire; actor: Actor }[] {
    return [...this.actors.values()].flatMap((actor) => actor.wires.map((wire) => ({ wire, actor })));
  }

  /** Whether the head of this wire would do anything if it arrived: a blocked read waits for something to read. */
  hasNews({ head }: Wire): boolean {
    if (head === undefined) return false;
    return !head.blocking || !this.ledger.hasGroup || this.ledger.hasUnread();
  }

  /** The next command of a wire runs; true when it did. */
  async arrive(wire: Wire, actor: Actor, isHeard = true): Promise<boolean> {
    const request = wire.head;
    if (request === undefined) return false;
    const done = await this.#run(request.args);
    if (request.blocking && done.outcome.reply === null) return false;
    if (isHeard) actor.give(wire, request, done);
    else request.hasRun = true;
    return true;
  }

  async arriveLate(at: number): Promise<void> {
    this.ghosts = this.ghosts.filter((ghost) => ghost.length > 0);
    const request = this.ghosts[at % Math.max(1, this.ghosts.length)]?.shift();
    if (request) await this.#run(request.args);
  }

  /** Time passes, for everybody who is not frozen. */
  async pass(ms: number): Promise<void> {
    await this.shift(ms);
    for (const actor of this.actors.values()) await actor.pass(ms);
  }

  /** The server's clock moves on by itself. */
  async shift(ms: number): Promise<void> {
    this.nowMs += ms;
    this.#passedMs += ms;
    await this.#setIdle(() => this.ledger.pass(ms));
  }

  async replicate(slot: number): Promise<void> {
    await this.ground.save(slot);
    this.#snapshots.set(slot, { ledger: this.ledger.clone(), passedMs: this.#passedMs });
  }

  /** False when nothing was replicated yet. */
  async failOver(slot: number): Promise<boolean> {
    const snapshot = this.#snapshots.get(slot);
    if (snapshot === undefined) return false;
    await this.ground.restore(slot);
    this.ledger = snapshot.ledger.clone();
    this.#idleSetAtMs = Number.NEGATIVE_INFINITY; // as it was then: not to be held against what it is now
    await this.#setIdle(() => this.ledger.pass(this.#passedMs - snapshot.passedMs));
    this.dropAll();
    return true;
  }

  /** All connections are lost, and nothing of them will arrive. */
  dropAll(): void {
    for (const { wire } of this.wires()) wire.lose();
    this.ghosts = [];
  }

  async loseGroup(): Promise<void> {
    await this.ground.ask('XGROUP', 'DESTROY', keys.stream, 'workers');
    this.ledger.loseGroup();
  }

  async loseStream(): Promise<void> {
    this.#deletedStreams += 1;
    await this.ground.renewStream(this.#deletedStreams);
    this.ledger.loseStream();
  }

  /** Not waited for: what is sent right after it finds the idle times so. */
  #setIdle(change: () => void): Promise<void> {
    const pending = this.ledger.pending();
    const before = pending.map(({ held }) => held.idleMs);
    change();
    if (pending.length === 0) return Promise.resolve();
    const sinceMs = this.#idleSetAtMs;
    this.#idleSetAtMs = performance.now();
    const idles = pending.flatMap(({ entry, held }, at) => [entry, before[at] ?? 0, held.idleMs]);
    return this.ground.setIdle(idles).then((off) => {
      if (off > performance.now() - sinceMs + idleSlackMs) this.#violate('idle', `an idle time is off by ${off} ms`);
    });
  }

  async #run(command: readonly string[]): Promise<{ outcome: Outcome; handed: Handed[] }> {
    const definition = scriptOf(command);
    const args = definition ? atTime(definition, command, this.nowMs) : withoutBlock(command);
    const letter = definition?.name === 'replay' ? await this.#letter(args.at(-1) ?? '') : '';
    const handed: Handed[] = [];
    this.ran += 1;
    const idle = definition?.name === 'recover' ? this.#setIdle(() => {}) : undefined;
    const { after, ...outcome } = await this.ground.run(args);
    await idle;
    try {
      const pendingNow = definition?.name === 'recover' ? await this.#pendingNow() : new Set<string>();
      if (outcome.reply !== undefined) judge({ ...this.#caseOf(handed), letter, pendingNow }, args, outcome.reply);
      const words = this.ledger.words();
      if (after !== words) throw new Violation('stands-as-it-must', differences(after, words));
    } catch (error) {
      const invariant = error instanceof Violation ? error.invariant : 'reply-fits';
      const failed = outcome.error ? `, which failed: ${outcome.error.message}` : '';
      this.#violate(invariant, `after ${definition?.name ?? command[0]}${failed}: ${messageOf(error)}`);
    }
    return { outcome, handed };
  }

  #caseOf(handed: Handed[]): Omit<Parameters<typeof judge>[0], 'letter' | 'pendingNow'> {
    return {
      ledger: this.ledger,
      nowMs: this.nowMs,
      handed,
      met: this.#stage.met,
      newSerial: () => (this.#serials += 1),
      returned: (serial) => {
        for (const actor of this.actors.values()) actor.handed = actor.handed.filter((one) => one.serial !== serial);
      },
      finished: (serial) => this.#finished.get(serial),
      everAccepted: this.#everAccepted,
      seenEntry: (entry, n) => {
        const last = this.#entriesSeen.get(entry);
        if (last !== undefined && last !== n) this.met.add('a stream id was issued again');
        this.#entriesSeen.set(entry, n);
      },
    };
  }

  async #letter(number: string): Promise<string> {
    const [found] = (await this.ground.ask('XRANGE', keys.dead, number, number)) as [string, string[]][];
    return found?.[1].at(-1) ?? '';
  }

  async #pendingNow(): Promise<Set<string>> {
    if (this.ledger.foreign.size === 0 || !this.ledger.hasGroup) return new Set(this.ledger.foreign.keys());
    const found = (await this.ground.ask('XPENDING', keys.stream, 'workers', '-', '+', 1000)) as [string][];
    return new Set(found.map(([entry]) => entry));
  }

  #violate(invariant: string, detail: string): void {
    this.violation ??= new Violation(invariant, detail);
  }
}

/** A read that waits is one that is asked again when there is something to read. */
function withoutBlock(command: readonly string[]): readonly string[] {
  const at = command.indexOf('BLOCK');
  return at === -1 || command[0] !== 'XREADGROUP' ? command : [...command.slice(0, at), ...command.slice(at + 2)];
}

function differences(got: string, expected: string): string {
  const [one, other] = [got.split('\n'), expected.split('\n')];
  const odd = one.filter((line) => !other.includes(line));
  const missing = other.filter((line) => !one.includes(line));
  return `Redis has [${odd.join(' | ')}], expected [${missing.join(' | ')}]`;
}
