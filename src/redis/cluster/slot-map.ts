import { shownHost } from '../hosts.js';
import type { Reply } from '../reply.js';
import { slotCount } from './slot.js';

/** Which node is the master of which slot, as one node of the cluster tells it. */
export class SlotMap {
  /** By slot; there is none where no master serves it. */
  readonly #owners: (string | undefined)[] = Array.from({ length: slotCount });
  readonly masters: ReadonlySet<string>;
  /** The replicas too. */
  readonly nodes: ReadonlySet<string>;

  /** `reply`: of CLUSTER SLOTS, a list of [first, last, master, replica …]; `asked`: the node that gave it. */
  constructor(reply: Reply, asked: string) {
    const masters = new Set<string>();
    const nodes = new Set<string>();
    for (const range of Array.isArray(reply) ? reply : []) {
      const [first, last, ...owners] = range as [number, number, ...Reply[]];
      const [master, ...replicas] = owners.map((owner) => nodeOf(owner, asked));
      if (master === undefined) continue;
      this.#owners.fill(master, first, last + 1);
      masters.add(master);
      for (const node of [master, ...replicas]) nodes.add(node);
    }
    this.masters = masters;
    this.nodes = nodes;
  }

  masterOf(slot: number): string | undefined {
    return this.#owners[slot];
  }

  /** The slots that no master serves, as [first, last]. */
  get uncovered(): (readonly [first: number, last: number])[] {
    const ranges: (readonly [number, number])[] = [];
    let first: number | undefined;
    for (let slot = 0; slot <= slotCount; slot += 1) {
      const isCovered = slot === slotCount || this.#owners[slot] !== undefined;
      if (!isCovered) first ??= slot;
      else if (first !== undefined) {
        ranges.push([first, slot - 1]);
        first = undefined;
      }
    }
    return ranges;
  }

  /** A node said that this slot is at another, which knows better than this map. */
  move(slot: number, master: string): void {
    this.#owners[slot] = master;
  }
}

/** A node that does not know by which name we know it says nothing, or `?`: it is where we asked. */
function nodeOf(owner: Reply, asked: string): string {
  const [host, port] = owner as [string | null, number];
  return nodeAt(host, port, asked);
}

export function nodeAt(host: string | null, port: number, asked: string): string {
  if (host !== null && host !== '' && host !== '?') return shownHost({ host, port });
  return `${asked.slice(0, asked.lastIndexOf(':'))}:${port}`;
}
