import { codeOf, lineOf } from '../../failure.js';
import type { HistoryWriter } from '../history/writer.js';

/** The world's fault, which the checker lets pass, or a bug of ours, which it does not. */
export function noteError(writer: HistoryWriter, error: unknown): void {
  const isBug = error instanceof Error && error.name === 'BugError';
  writer.note({ what: 'error', code: isBug ? 'ERR_BUG' : codeOf(error), text: lineOf(error) });
}
