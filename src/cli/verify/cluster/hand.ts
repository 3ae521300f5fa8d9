import { scheduler } from 'node:timers/promises';
import { codeOf } from '../../failure.js';
import type { RedisLink } from '../../../testing.js';
import { nowMs } from '../history/instant.js';
import type { ClusterNode } from './node.js';

/** Raw commands, on servers that the campaign knows. */
export interface Hand {
  send(args: readonly string[], options?: { readonly timeoutMs?: number }): ReturnType<RedisLink['send']>;
  stop(): Promise<void>;
}

export interface ClusterHandParts {
  readonly purpose: string;
  readonly timeoutMs: number;
  /** Where a command belongs: by the first of its keys, or to any node that is well. Undefined: nobody knows just now. */
  readonly nodeFor: (key: string | undefined) => ClusterNode | undefined;
}

const tryMsMax = 1_000;
const againMs = 100;
/** What must outlive a failover: that a partition is to note what is done there. */
const lasting = new Set(['HSET']);
/** What must not be done twice. */
const once = new Set(['EVAL']);

/**
 * The campaign's own hand in a cluster. It asks again until its time is up, for it may be asked while a master is gone or
 * a slot moves. What it sets is on a replica when it returns.
 */
export class ClusterHand implements Hand {
  readonly #parts: ClusterHandParts;
  readonly #links = new Map<ClusterNode, RedisLink>();

  constructor(parts: ClusterHandParts) {
    this.#parts = parts;
  }

  async send(args: readonly string[], options: { readonly timeoutMs?: number } = {}): ReturnType<RedisLink['send']> {
    const { timeoutMs = this.#parts.timeoutMs } = options;
    const endMs = nowMs() + timeoutMs;
    const key = args.find((arg) => /\{[^{}\s]+:\d+\}:\w+$/.test(arg));
    for (;;) {
      try {
        return await this.#try(args, key, Math.max(againMs, Math.min(tryMsMax, endMs - nowMs())));
      } catch (error) {
        const isDone = once.has(args[0] ?? '') && codeOf(error) === 'ERR_OUTCOME_UNKNOWN';
        if (isDone || nowMs() + againMs >= endMs) throw error;
        await scheduler.wait(againMs);
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.stop()));
  }

  async #try(args: readonly string[], key: string | undefined, timeoutMs: number): ReturnType<RedisLink['send']> {
    const node = this.#parts.nodeFor(key);
    if (node === undefined) throw new Error(`nobody serves ${key} just now`);
    const link = this.#linkTo(node);
    const reply = await link.send(args, { timeoutMs });
    if (lasting.has(args[0] ?? '') && Number(await link.send(['WAIT', '1', String(tryMsMax)])) < 1) {
      throw new Error(`no replica has confirmed ${args[0]} on ${key}`);
    }
    return reply;
  }

  #linkTo(node: ClusterNode): RedisLink {
    const { purpose, timeoutMs } = this.#parts;
    const link = this.#links.get(node) ?? node.newLink(purpose, timeoutMs);
    this.#links.set(node, link);
    return link;
  }
}
