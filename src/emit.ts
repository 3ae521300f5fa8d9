import type { EventEmitter } from 'node:events';
import { messageOf } from './errors.js';

/**
 * Tells listeners, who must not be able to stop what tells them: what one throws is a warning of the process, and so is
 * an `error` that nobody listens to.
 */
export function emitSafely(
  emitter: EventEmitter,
  who: string,
  [event, ...args]: readonly [string, ...unknown[]],
): void {
  try {
    if (event !== 'error' || emitter.listenerCount('error') > 0) emitter.emit(event, ...args);
    else process.emitWarning(`duestream ${who}: ${messageOf(args[0])}`);
  } catch (error) {
    process.emitWarning(`duestream ${who}: a listener of "${event}" threw: ${messageOf(error)}`);
  }
}
