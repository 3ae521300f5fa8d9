import { type EventEmitter, errorMonitor } from 'node:events';
import { types } from 'node:util';
import { messageOf } from './errors.js';

/**
 * Tells listeners, who must not be able to stop what tells them, nor each other: what one throws, at once or as the
 * rejection of a promise it returned, is a warning of the process, and so is an `error` that nobody listens to.
 */
export function emitSafely(
  emitter: EventEmitter,
  who: string,
  [event, ...args]: readonly [string, ...unknown[]],
): void {
  const warn = (what: string): void => process.emitWarning(`duestream ${who}: ${what}`);
  const fault = (error: unknown): void => warn(`a listener of "${event}" threw: ${messageOf(error)}`);
  const listeners = emitter.rawListeners(event);
  if (event === 'error') {
    if (listeners.length === 0) warn(messageOf(args[0]));
    listeners.unshift(...emitter.rawListeners(errorMonitor));
  }
  for (const listener of listeners) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, args);
      if (types.isPromise(result)) result.catch(fault);
    } catch (error) {
      fault(error);
    }
  }
}
