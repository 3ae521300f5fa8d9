import type { Clock } from '../../clock.js';
import type { Link } from '../link.js';

/** A master, and the connection to it. */
export interface Node {
  readonly name: string;
  readonly link: Link;
  usedAtMs: number;
}

export interface NodeLinksParts {
  clock: Clock;
  open: (node: string) => Link;
}

/**
 * A connection to a node that is no master any more is kept as long as something may be under way there, and it answers. One
 * that is silent was replaced while it slept: what it takes when it wakes is lost.
 */
const idleMs = 10_000;

/** Whoever consumes or leads a partition wants its master more often than this. */
const inUseMs = 2_000;

/** One connection to each master, made when it is first wanted. */
export class NodeLinks {
  readonly #parts: NodeLinksParts;
  readonly #nodes = new Map<string, Node>();
  readonly #stopping = new Set<Promise<void>>();

  constructor(parts: NodeLinksParts) {
    this.#parts = parts;
  }

  to(name: string): Node {
    const usedAtMs = this.#parts.clock.monotonicMs();
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = { name, link: this.#parts.open(name), usedAtMs };
      this.#nodes.set(name, node);
    }
    node.usedAtMs = usedAtMs;
    return node;
  }

  /** Whether all that are in use work: one that was wanted once, long before the others, is not missed. */
  get isUp(): boolean {
    const nodes = [...this.#nodes.values()];
    const lastMs = Math.max(...nodes.map(({ usedAtMs }) => usedAtMs));
    return nodes.length > 0 && nodes.every(({ link, usedAtMs }) => link.isUp || usedAtMs < lastMs - inUseMs);
  }

  /** Leaves those that are not among these masters. */
  keep(masters: ReadonlySet<string>): void {
    for (const node of this.#nodes.values()) {
      if (!masters.has(node.name) && (!node.link.isUp || node.link.isSilent || this.#isIdle(node))) this.#leave(node);
    }
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes.values()) this.#leave(node);
    await Promise.all(this.#stopping);
  }

  #isIdle({ usedAtMs }: Node): boolean {
    return this.#parts.clock.monotonicMs() - usedAtMs > idleMs;
  }

  #leave({ name, link }: Node): void {
    this.#nodes.delete(name);
    const stopped = link.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}
