/**
 * What is said on a partition's wake-up channel. Messages may be lost: each only makes something happen sooner that
 * happens anyway (the leader looks every 250 ms, a cancelled delivery learns it from its next beat).
 */
export type Signal =
  /** The earliest task is due then (ms). */
  | { kind: 'due'; dueMs: number }
  /** The leader of that term has resigned: bid now. */
  | { kind: 'vacant'; term: number }
  /** The leader of that term is asked to resign. */
  | { kind: 'resign'; term: number }
  | { kind: 'paused' }
  | { kind: 'resumed' }
  /** The earliest schedule wants to be looked at then (ms). */
  | { kind: 'schedule'; lookMs: number }
  /** A task at work was cancelled. */
  | { kind: 'cancelled'; id: string };

/** Undefined for what a newer version says. */
export function parseSignal(message: string): Signal | undefined {
  const space = message.indexOf(' ');
  const word = space < 0 ? message : message.slice(0, space);
  const rest = space < 0 ? '' : message.slice(space + 1);
  switch (word) {
    case 'due':
      return { kind: 'due', dueMs: Number(rest) };
    case 'schedule':
      return { kind: 'schedule', lookMs: Number(rest) };
    case 'vacant':
    case 'resign':
      return { kind: word, term: Number(rest) };
    case 'paused':
    case 'resumed':
      return { kind: word };
    case 'cancelled':
      return { kind: 'cancelled', id: rest };
    default:
      return undefined;
  }
}
