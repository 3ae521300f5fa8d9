import type { DutyName } from './leader-actor.js';
import type { Wish } from './producer-actor.js';
import type { Ending } from './worker-actor.js';

/**
 * One step. It says all there is to say of itself, so that a run is a list of these; one that does not fit where it is
 * met does nothing, so that any part of the list is a run as well.
 */
export type Choice =
  /** The next command of this wire arrives, and its answer is heard. */
  | { do: 'arrive'; wire: string }
  /** The connection is lost: its next command had run, or not; what had not may still arrive, later. */
  | { do: 'lose'; wire: string; ran: boolean; later: boolean }
  /** The oldest command of a connection that is gone arrives. */
  | { do: 'arrive late'; at: number }
  | { do: 'time'; ms: number }
  /** All who can work do so, for a while, and the network is well. */
  | { do: 'lapse'; ms: number }
  | { do: 'clock jump'; ms: number }
  | { do: 'add'; by: string; tasks: readonly Wish[] }
  | { do: 'cancel'; by: string; id: string }
  | { do: 'reschedule'; by: string; id: string; inMs: number }
  | { do: 'run now'; by: string; id: string }
  | { do: 'replay'; by: string; id: string }
  | { do: 'pause'; by: string; paused: 0 | 1 }
  | { do: 'end handler'; of: string; at: number; how: Ending }
  | { do: 'stop'; of: string; drainMs: number }
  | { do: 'bid'; by: string }
  | { do: 'resign'; by: string }
  | { do: 'duty'; by: string; duty: DutyName }
  | { do: 'crash'; of: string; later: boolean }
  | { do: 'freeze'; of: string }
  | { do: 'thaw'; of: string; timersFirst: boolean }
  | { do: 'flush scripts' }
  /** The server is away for so long, and comes back with all it had. */
  | { do: 'restart'; ms: number }
  | { do: 'replicate'; slot: number }
  /** A replica takes over that had only what was replicated then. */
  | { do: 'failover'; slot: number }
  | { do: 'destroy group' }
  | { do: 'delete stream' }
  | { do: 'foreign zadd'; id: string; inMs: number }
  | { do: 'foreign xadd'; id: string }
  /** What is kept of a task at work is deleted by hand; its entry stays. */
  | { do: 'forget'; id: string }
  /** Scripts run while the stream has no id left to give. */
  | { do: 'tear'; id: string };

export function inWords(choice: Choice): string {
  const { do: what, ...rest } = choice;
  const words = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value).replaceAll('"', '')}`);
  return [what, ...words].join('  ');
}
