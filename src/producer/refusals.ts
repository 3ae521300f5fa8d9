import { DuestreamError } from '../errors.js';

/** Of more than that the message tells how many there are. */
const linesMax = 100;

/**
 * The results of all, or one error for all that were refused: a single one's own, else one with the code of the first, a line for
 * each in its message, and an AggregateError of them as its cause.
 */
export function allOrRefused<T>(settled: readonly PromiseSettledResult<T>[]): T[] {
  const refusals = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  const [first] = refusals;
  if (first === undefined) return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (refusals.length === 1 || !(first instanceof DuestreamError)) throw first;
  const more = refusals.length - linesMax;
  const lines = refusals.slice(0, linesMax).map(({ message }) => message);
  const message = [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  throw new DuestreamError(first.code, message, { cause: new AggregateError(refusals, message) });
}
