import type { DuestreamError } from '../errors.js';

/** Error replies of a server that can't serve just now; it did nothing, and the next try may find it well. */
const passing = ['LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'BUSY', 'READONLY', 'NOREPLICAS'];

export function isPassing({ code, message }: DuestreamError): boolean {
  return code === 'ERR_REDIS_REPLY' && passing.some((word) => message.startsWith(word));
}
