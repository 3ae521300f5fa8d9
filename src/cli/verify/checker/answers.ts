import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';
import { startText } from './starts.js';
import type { End, TaskLife, Told } from './task-life.js';

/**
 * ONE_ANSWER: a call whose reply was lost is sent again, counts once and gets its first answer. So an id that was added
 * once is no duplicate, and whose end was written is not told that it lost the delivery.
 */
export function oneAnswer(evidence: Evidence, findings: Findings): void {
  for (const life of evidence.tasks.values()) {
    duplicateOfItself(life, evidence, findings);
    for (const told of life.told) if (told.what === 'lease_lost') lostThoughWritten(life, told, { evidence, findings });
  }
}

function duplicateOfItself({ id, adds, answers }: TaskLife, { when }: Evidence, findings: Findings): void {
  const duplicate = answers.find((answer) => answer.what === 'added' && answer.status === 'duplicate');
  if (duplicate === undefined || adds.length > 1 || answers.some(({ what }) => what === 'add_unknown')) return;
  findings.broke(`${id} was added once, and called a duplicate at ${when(duplicate.at)}`);
}

/** The worker's last start of that attempt, and the end of that very delivery, written before it was told. */
function lostThoughWritten(
  { starts, retries, ends }: TaskLife,
  { attempt, by, at }: Told,
  { evidence: { when }, findings }: { evidence: Evidence; findings: Findings },
): void {
  const start = starts.filter((one) => one.by === by && one.attempt === attempt && one.at <= at).at(-1);
  if (start === undefined) return;
  const isItsOwn = ({ verb, count, fromMs, toMs }: End): boolean =>
    ['complete', 'retry', 'bury'].includes(verb) && count === start.delivery && fromMs > start.at && toMs < at;
  const others = starts.filter((one) => one.attempt === attempt && one !== start && one.delivery === start.delivery);
  const ofAttempt = retries[attempt - 1] ?? (retries.length === attempt - 1 ? ends[0] : undefined);
  const written = ofAttempt !== undefined && isItsOwn(ofAttempt) ? ofAttempt : undefined;
  if (written === undefined || others.length > 0) return;
  findings.broke(
    `${startText(start, when)}; its ${written.verb} was written by ${when(written.toMs)}, at ${when(at)} it was told that it is lost`,
  );
}
