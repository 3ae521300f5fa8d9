import { DuestreamError } from '../../errors.js';
import { nodeAt } from './slot-map.js';

/** What a node says that did not do what it was asked, but knows how it can be done. */
export type Turn =
  /** That slot is elsewhere, for good. */
  | { readonly kind: 'moved'; readonly slot: number; readonly node: string }
  /** This key has gone ahead of its slot, which is on its way there. */
  | { readonly kind: 'ask'; readonly node: string }
  /** Some of the keys are here and some there, until the slot has moved. */
  | { readonly kind: 'split' }
  /** Nobody serves the slot now, or this node is cut off from the others. */
  | { readonly kind: 'down' };

/** Undefined when it says nothing of the kind. `from`: the node that gave it. */
export function turnOf(error: unknown, from: string): Turn | undefined {
  if (!(error instanceof DuestreamError) || error.code !== 'ERR_REDIS_REPLY') return undefined;
  const [word, slot = '', at = ''] = error.message.split(' ');
  const colon = at.lastIndexOf(':');
  const node = (): string => nodeAt(at.slice(0, colon), Number(at.slice(colon + 1)), from);
  switch (word) {
    case 'MOVED':
      return { kind: 'moved', slot: Number(slot), node: node() };
    case 'ASK':
      return { kind: 'ask', node: node() };
    case 'TRYAGAIN':
      return { kind: 'split' };
    case 'CLUSTERDOWN':
      return { kind: 'down' };
    default:
      return undefined;
  }
}
