/** Every error the library throws on purpose has one of these codes; `error.code` is the thing to switch on. */
export type ErrorCode =
  /** A value given by the caller was refused: nothing was sent to Redis. Or the server at the connection is of another kind. */
  | 'ERR_INVALID_ARGUMENT'
  /** The payload can't be kept as JSON, is over the limit, or its schema refused it. Nothing was sent to Redis. */
  | 'ERR_INVALID_PAYLOAD'
  /** Redis could not be reached before the call's deadline. The call was not sent. */
  | 'ERR_REDIS_UNREACHABLE'
  /** Redis answered with an error: wrong password, wrong type of key, out of memory … */
  | 'ERR_REDIS_REPLY'
  /** The call was sent and no reply came in time: it may or may not have happened. Repeat it with the same id to find out. */
  | 'ERR_OUTCOME_UNKNOWN'
  /** The queue in Redis has another format or another number of partitions than this process believes. */
  | 'ERR_OTHER_LAYOUT'
  /** Nobody has used that queue yet. */
  | 'ERR_NO_QUEUE'
  /** This Redis can't carry a queue: too old, or it evicts keys. */
  | 'ERR_UNSUITABLE_REDIS'
  /** A schedule stands with the same version and other contents, is being backfilled, lies under another key, or was changed meanwhile. */
  | 'ERR_CONFLICT'
  /** There is no schedule of that name. */
  | 'ERR_NO_SCHEDULE'
  /** A worker met a task whose name none of its handlers has. Told once for each name; the task goes back. */
  | 'ERR_NO_HANDLER'
  /** The queue, worker or leader was closed before the call. */
  | 'ERR_CLOSED';

/** The one base class of the library's errors. The message says what was wrong, which id, what was expected and got. */
export class DuestreamError extends Error {
  override readonly name: string = 'DuestreamError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown by a handler: this task must never be tried again. It goes to the dead letters with `reason`. */
export class RejectTask extends Error {
  override readonly name = 'RejectTask';
}

/** A broken assumption of our own. It is never caught inside the library: the part that meets it stops. */
export class BugError extends Error {
  override readonly name = 'BugError';
}

/** Asserts what our own code guarantees; not for input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BugError(message);
}

/** The bad-input error: what was wrong, what was expected, what was got. */
export function invalid(message: string): DuestreamError {
  return new DuestreamError('ERR_INVALID_ARGUMENT', message);
}

/** The message of whatever was thrown. It never throws itself, as an object without a prototype or a bad getter would have it. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'something was thrown that has no words';
  }
}
