import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { ConnectionOption } from './connection.js';
import type { Target } from './target.js';

/** What a link tells. `command` is the script's name or the verb, never an argument; what blocks on purpose is not timed. */
export type LinkEvent =
  | { type: 'connected'; life: number }
  | { type: 'lost'; life: number; error: Error }
  | { type: 'connect_failed'; error: Error }
  | { type: 'timeout'; command: string; ms: number }
  | { type: 'refused'; command: string }
  | { type: 'command'; command: string; ms: number }
  | { type: 'closed' };

export interface LinkOptions {
  connection: ConnectionOption | Target;
  /** For messages: commands, reader … */
  purpose: string;
  clock?: Clock;
  random?: Random;
  /** How long a command may take, the wait for a connection included. Default 5,000. */
  commandTimeoutMs?: number;
  onEvent?: (event: LinkEvent) => void;
}

export interface SendOptions {
  timeoutMs?: number;
  /** Send it on this life or not at all: for what is bound to one connection, as the name of a consumer is. */
  life?: number;
  /** It waits behind a read that blocks for so long at most: that time comes on top of its own. */
  behindMs?: number;
  /** What to call it when it is told of, where the verb says little: the name of a script. */
  op?: string;
}
