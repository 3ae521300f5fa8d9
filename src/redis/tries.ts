import { DuestreamError, messageOf } from '../errors.js';

/** How often something was tried in vain, and how long that took. */
export interface Tries {
  readonly tries: number;
  readonly ms: number;
}

/** The last error tells how long the last try took, which is not all of it. */
export function unreachableAfter(error: unknown, { tries, ms }: Tries): DuestreamError {
  const all = tries === 1 ? '' : `; that was the last of ${tries} tries in ${Math.round(ms)} ms`;
  return new DuestreamError('ERR_REDIS_UNREACHABLE', `${messageOf(error)}${all}`, { cause: error });
}

/** The same of an error that says so; any other stays as it is. */
export function ofAllTries(error: unknown, tries: Tries): unknown {
  const isUnreachable = error instanceof DuestreamError && error.code === 'ERR_REDIS_UNREACHABLE';
  return isUnreachable ? unreachableAfter(error, tries) : error;
}
