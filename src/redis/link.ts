import { type Clock, systemClock } from '../clock.js';
import { invalid, messageOf } from '../errors.js';
import { systemRandom } from '../random.js';
import { type Call, errorOf, type Fault, faultOf, isLasting, isOfFormerMaster, ofStranger } from './call.js';
import { Deadlines } from './deadlines.js';
import type { Life } from './life.js';
import type { LinkEvent, LinkOptions, SendOptions } from './link-options.js';
import { type Asked, newCall } from './new-call.js';
import type { Reply } from './reply.js';
import { Silence } from './silence.js';
import { Supervisor, tell } from './supervisor.js';
import { type Target, targetOf } from './target.js';

export type { LinkEvent, LinkOptions, SendOptions } from './link-options.js';
export type { Reply } from './reply.js';

/** What a blocked read may take beyond its own time. Ours, for a server whose clock went back blocks for as long. */
const watchdogMs = 2_000;
const unblockMs = 1_000;

/**
 * A connection to Redis that is always either up or on its way: commands go in, and each comes back with its reply or
 * an error, by its deadline, whatever happens to the network or the server.
 *
 * Not sent by its deadline: ERR_REDIS_UNREACHABLE, and nothing happened. Sent, and no reply: ERR_OUTCOME_UNKNOWN, and
 * nothing is ever sent a second time. An error reply: ERR_REDIS_REPLY with the words of Redis. A command that is late
 * costs the connection: its reply might still come, and be taken for another's. A command is in the books of one life
 * only, so what an old life brings after its end reaches nobody.
 */
export class Link {
  readonly #clock: Clock;
  readonly #commandTimeoutMs: number;
  readonly #onEvent: ((event: LinkEvent) => void) | undefined;
  readonly #target: Target;
  readonly #where: string;
  readonly #supervisor: Supervisor;
  readonly #calls: Deadlines<Call>;
  readonly #silence: Silence;
  #life: Life | undefined;
  #lastError: Error | undefined;
  #underWay = 0;
  #blocked = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    const { connection, purpose, clock = systemClock, random = systemRandom, commandTimeoutMs = 5_000 } = options;
    this.#clock = clock;
    this.#commandTimeoutMs = commandTimeoutMs;
    this.#onEvent = options.onEvent;
    const target = targetOf(connection);
    this.#target = target;
    this.#where = `Redis at ${target.shown} (${purpose})`;
    this.#calls = new Deadlines(clock, (calls) => this.#onOverdue(calls));
    const heardAtMs = (): number => this.#life?.heardAtMs ?? 0;
    this.#silence = new Silence({ clock, calls: this.#calls, heardAtMs, onSilent: () => target.onSilent?.() });
    this.#supervisor = new Supervisor({
      target,
      clock,
      random,
      probe: 'ECHO',
      expectsAnswers: () => this.#underWay === 0, // what is under way has a deadline of its own
      onUp: (life) => this.#onUp(life),
      onDown: (error) => this.#onDown(error),
      onFailed: (error) => this.#onFailed(error),
    });
  }

  /** 0 before the first connection, and one more with each. */
  get life(): number {
    return this.#supervisor.lives;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  /** Whether a blocking read is under way, and all else on this link would wait for it. */
  get isBlocked(): boolean {
    return this.#blocked > 0;
  }

  /** Whether what was sent has had no answer for a second. */
  get isSilent(): boolean {
    return this.#silence.isThere;
  }

  /** Which server it leads to now; empty when that is not known. */
  get serverId(): string {
    return this.#life?.serverId ?? '';
  }

  /** One command. The deadline covers the wait for a connection and the wait for the reply. */
  send(args: readonly string[], { timeoutMs, op, life, behindMs }: SendOptions = {}): Promise<Reply> {
    const ownMs = timeoutMs ?? this.#commandTimeoutMs;
    if (behindMs === undefined) return this.#request(args, { timeoutMs: ownMs, op }, life);
    return this.#request(args, { timeoutMs: ownMs + behindMs + watchdogMs, op, isTimed: false }, life);
  }

  /** A read that blocks for at most `blockMs`, which its arguments say as well. Use a link of its own for it. */
  block(args: readonly string[], blockMs: number, { life }: { life?: number } = {}): Promise<Reply> {
    if (!(blockMs > 0))
      return Promise.reject(invalid(`blockMs must be above 0, got ${blockMs}: without end it can't be watched`));
    return this.#request(args, { timeoutMs: blockMs + watchdogMs, blocking: true, isTimed: false }, life);
  }

  /** Resolves with the present life, as soon as there is one. */
  async connected(timeoutMs: number = this.#commandTimeoutMs): Promise<number> {
    if (!this.isUp) await this.#request([], { timeoutMs }, undefined);
    return this.life;
  }

  /** Throws the present connection away; a new one is made by itself. */
  drop(reason: string): void {
    this.#supervisor.drop(reason);
  }

  /**
   * Ends a blocked read of this link, through another, in about a millisecond: it returns as if its time had run out.
   * When that can't be done its connection is thrown away, so that in any case it ends.
   */
  async unblock(via: Link): Promise<void> {
    const life = this.#life;
    // The read may still be on its way there: then nothing is blocked yet, and it must be asked for again.
    while (life !== undefined && this.#blocked > 0 && this.#life === life) {
      if (via.serverId !== '' && via.serverId !== life.serverId) {
        return life.end(new Error('the blocked read is on another server')); // where its id is somebody else's
      }
      try {
        if ((await via.send(['CLIENT', 'UNBLOCK', life.clientId], { timeoutMs: unblockMs })) === 1) return;
      } catch (error) {
        return life.end(new Error('the blocked read could not be ended', { cause: error }));
      }
      await this.#clock.sleep(2);
    }
  }

  /** Ends it for good; what is under way is rejected. */
  stop(): Promise<void> {
    if (this.#stopped === undefined) {
      this.#life = undefined;
      this.#silence.stop();
      this.#stopped = this.#supervisor.stop();
      for (const call of this.#calls.take()) this.#fail(call, { kind: call.sent ? 'stopped' : 'closed' });
      this.#tell({ type: 'closed' });
    }
    return this.#stopped;
  }

  #request(args: readonly string[], on: Asked, life: number | undefined): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#submit(newCall({ args, on, madeAtMs: this.#clock.monotonicMs(), resolve, reject }), life);
    });
  }

  #submit(call: Call, boundTo: number | undefined): void {
    if (this.#stopped) return this.#fail(call, { kind: 'closed' });
    if (boundTo !== undefined && (!this.isUp || boundTo !== this.life)) return this.#fail(call, { kind: 'other_life' });
    this.#calls.add(call, call.madeAtMs);
    if (this.#life) this.#dispatch(call, this.#life);
    else this.#supervisor.start();
  }

  #dispatch(call: Call, life: Life): void {
    if (call.args.length === 0) {
      this.#calls.delete(call);
      return call.resolve(this.life);
    }
    call.sent = true;
    this.#underWay += 1;
    if (call.blocking) this.#blocked += 1;
    if (this.#target.onSilent) this.#silence.watch();
    life.client.sendCommand(call.args as string[]).then(
      (reply) => this.#settled(call, life) && call.resolve(reply as Reply),
      (error: unknown) => this.#onRefusal(call, error, life),
    );
  }

  /** An error reply is the call's own; what else node-redis rejects with concerns the connection. */
  #onRefusal(call: Call, error: unknown, life: Life): void {
    const fault = faultOf(error);
    const target = this.#target;
    if (fault.kind === 'lost') life.end(fault.error);
    else if (this.#settled(call, life)) {
      if (!messageOf(error).startsWith('NOSCRIPT')) this.#tell({ type: 'refused', command: call.verb }); // that one is routine
      this.#fail(call, target.misleads ? fault : ofStranger(fault, target));
      const isMisled = isOfFormerMaster(fault) || (fault.kind === 'refused' && target.misleads?.(fault.error));
      // A microtask later: the replies that came with this one still reach their calls.
      if (isMisled) queueMicrotask(() => life.end(new Error(`it is not served there: ${messageOf(error)}`)));
    }
  }

  /** False when it was settled before: overdue, or its life was over. */
  #settled(call: Call, life: Life): boolean {
    if (!this.#calls.delete(call)) return false;
    this.#forget(call);
    const nowMs = this.#clock.monotonicMs();
    life.heardAtMs = nowMs;
    if (this.#onEvent && call.isTimed) this.#tell({ type: 'command', command: call.verb, ms: nowMs - call.madeAtMs });
    return true;
  }

  #forget(call: Call): void {
    this.#underWay -= 1;
    if (call.blocking) this.#blocked -= 1;
  }

  #fail(call: Call, fault: Fault): void {
    call.reject(errorOf(call, fault, this.#where));
  }

  #onOverdue(calls: Call[]): void {
    const unanswered = calls.filter((call) => call.sent);
    for (const call of unanswered) this.#forget(call);
    const last = this.#lastError ?? this.#supervisor.delay;
    for (const call of calls) this.#fail(call, call.sent ? { kind: 'no_reply' } : { kind: 'not_sent', last });
    for (const { verb, timeoutMs } of unanswered) this.#tell({ type: 'timeout', command: verb, ms: timeoutMs });
    if (unanswered[0]) this.drop(`${unanswered[0].verb} got no reply within ${unanswered[0].timeoutMs} ms`);
  }

  #onUp(life: Life): void {
    this.#life = life;
    for (const call of this.#calls) this.#dispatch(call, life);
    this.#tell({ type: 'connected', life: this.life });
  }

  #onDown(error: Error): void {
    this.#life = undefined;
    this.#lastError = error;
    for (const call of this.#calls.take(({ sent }) => sent)) {
      this.#forget(call);
      this.#fail(call, { kind: 'lost', error });
    }
    this.#tell({ type: 'lost', life: this.life, error });
  }

  #onFailed(error: Error): void {
    this.#lastError = error;
    if (isLasting(error)) for (const call of this.#calls.take()) this.#fail(call, { kind: 'refused', error });
    this.#tell({ type: 'connect_failed', error });
  }

  #tell(event: LinkEvent): void {
    tell(this.#onEvent, event);
  }
}
