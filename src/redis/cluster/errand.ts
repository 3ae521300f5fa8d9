import type { Clock } from '../../clock.js';
import { DuestreamError, messageOf } from '../../errors.js';
import type { Random } from '../../random.js';
import { reasonOf } from '../call.js';
import type { SendOptions } from '../link-options.js';
import type { Reply } from '../reply.js';
import type { Node, NodeLinks } from './node-links.js';
import type { Topology } from './topology.js';
import { turnOf } from './turn.js';

/** What all commands of a process share on their way. */
export interface Ways {
  readonly topology: Topology;
  readonly nodes: NodeLinks;
  readonly clock: Clock;
  readonly random: Random;
  /** For messages: the cluster, and what it is used for. */
  readonly where: string;
  readonly isClosed: () => boolean;
}

export interface Order {
  readonly slot: number;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly options: SendOptions;
}

/** After so long without a connection to the slot's master it is asked whether that is still its master. */
const sliceMs = 200;
/** What a node is given for its reply at least: one that is late costs its connection. */
const tryMsMin = 50;
const pauseMsMax = 100;

/**
 * One command, on its way to the master of its slot. It is handed to a connection that is up, and to no other: so what
 * has not been sent yet goes wherever the slot is by then. It goes on to where it is sent, for who sends it on has not
 * done it, and it comes back when the cluster can't do it just now; all by its deadline. Sent and lost is lost: nobody
 * knows whether it was done.
 */
export class Errand {
  readonly #ways: Ways;
  readonly #order: Order;
  readonly #endMs: number;
  /** Where it was told to ask, this once. */
  #ask: string | undefined;
  #met: unknown;

  constructor(ways: Ways, order: Order) {
    this.#ways = ways;
    this.#order = order;
    this.#endMs = ways.clock.monotonicMs() + order.timeoutMs;
  }

  async run(): Promise<Reply> {
    for (let tries = 1; ; tries += 1) {
      let node = this.#node();
      while (node === undefined || !node.link.isUp) {
        await this.#reach(node);
        node = this.#node();
      }
      try {
        return await this.#send(node);
      } catch (error) {
        await this.#heed(error, node.name, tries);
      }
    }
  }

  get #leftMs(): number {
    return this.#endMs - this.#ways.clock.monotonicMs();
  }

  #node(): Node | undefined {
    const name = this.#ask ?? this.#ways.topology.masterOf(this.#order.slot);
    return name === undefined ? undefined : this.#ways.nodes.to(name);
  }

  /** ASKING holds for the next command on that connection: nothing may come between the two. */
  #send({ link }: Node): Promise<Reply> {
    const { args, options } = this.#order;
    if (this.#ask !== undefined) link.send(['ASKING']).catch(() => {}); // the command itself then tells
    return link.send(args, { ...options, timeoutMs: Math.max(tryMsMin, this.#leftMs) });
  }

  /** Waits a moment for a connection, or has the map looked at. */
  async #reach(node: Node | undefined): Promise<void> {
    this.#assertTime();
    try {
      if (node) await node.link.connected(Math.min(this.#leftMs, sliceMs));
      else await this.#look();
    } catch (error) {
      if (this.#ways.isClosed()) throw this.#closed();
      if (isFinal(error)) throw error;
      this.#met = error;
      this.#ask = undefined;
      if (node) await this.#look().catch((error: unknown) => this.#noteUnlessFinal(error));
    }
  }

  /** As long as there is time. */
  async #look(): Promise<void> {
    const { clock, topology } = this.#ways;
    let disarm = (): void => {};
    const timeIsUp = new Promise<void>((resolve) => {
      disarm = clock.after(Math.max(0, this.#leftMs), resolve);
    });
    await Promise.race([topology.look(), timeIsUp]).finally(() => disarm());
  }

  #noteUnlessFinal(error: unknown): void {
    if (isFinal(error)) throw error;
    this.#met = error;
  }

  /** Makes ready for the next try; throws when there is none. */
  async #heed(error: unknown, from: string, tries: number): Promise<void> {
    const { topology, clock } = this.#ways;
    const turn = turnOf(error, from);
    if (turn === undefined) {
      if (error instanceof DuestreamError && error.code === 'ERR_OUTCOME_UNKNOWN') topology.doubt();
      throw error;
    }
    if (turn.kind === 'moved') topology.move(turn.slot, turn.node);
    if (turn.kind === 'down') topology.doubt();
    this.#ask = turn.kind === 'ask' ? turn.node : undefined;
    this.#met = error;
    const isKnown = turn.kind === 'moved' || turn.kind === 'ask';
    if (isKnown && tries === 1) return;
    const pauseMs = Math.min(pauseMsMax, 5 * 2 ** tries) * (0.5 + this.#ways.random() / 2);
    if (pauseMs >= this.#leftMs) throw isKnown ? this.#unreachable() : error;
    await clock.sleep(pauseMs);
  }

  #assertTime(): void {
    if (this.#ways.isClosed()) throw this.#closed();
    if (this.#leftMs <= 0) throw this.#unreachable();
  }

  #closed(): DuestreamError {
    return new DuestreamError('ERR_CLOSED', `${this.#ways.where} is closed, ${this.#verb} was not sent`);
  }

  #unreachable(): DuestreamError {
    const { slot, timeoutMs } = this.#order;
    const { where, topology } = this.#ways;
    const master = topology.masterOf(slot);
    const whom = master === undefined ? `a master of slot ${slot}` : `${master}, the master of slot ${slot},`;
    const why = this.#met === undefined ? 'no node serves it' : whyOf(this.#met);
    return new DuestreamError(
      'ERR_REDIS_UNREACHABLE',
      `${where}: ${whom} could not be reached within ${Math.round(timeoutMs)} ms, ${this.#verb} was not done: ${why}`,
      { cause: this.#met },
    );
  }

  get #verb(): string {
    return this.#order.options.op ?? this.#order.args[0] ?? 'nothing';
  }
}

/** Waiting does not mend it: a refused password, a server that is no cluster. Closed is a node that was left. */
function isFinal(error: unknown): boolean {
  return error instanceof DuestreamError && error.code !== 'ERR_REDIS_UNREACHABLE' && error.code !== 'ERR_CLOSED';
}

/** What was behind it: that it took a slice of our time says nothing. */
function whyOf(error: unknown): string {
  const cause = error instanceof DuestreamError ? (error.cause ?? error) : error;
  return cause instanceof Error ? reasonOf(cause) : messageOf(cause);
}
