import type { HistoryRecord, RecordOf } from '../history/records.js';
import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';

/** HELD: no worker has more handlers at work than it was told to have. */
export function held({ processes, when }: Evidence, findings: Findings): void {
  let most = 0;
  for (const [by, records] of processes) {
    const concurrency = concurrencyOf(records);
    let atWork = 0;
    let isOver = false;
    for (const { what, at } of records) {
      if (what === 'return') atWork -= 1;
      if (what === 'start') atWork += 1;
      most = Math.max(most, atWork);
      if (atWork > concurrency && !isOver)
        findings.broke(`${by} had ${atWork} at work at ${when(at)}, of ${concurrency}`);
      isOver = atWork > concurrency;
    }
  }
  findings.figure('atWorkMost', most);
}

function concurrencyOf(records: readonly HistoryRecord[]): number {
  const ready = records.find(({ what }) => what === 'ready');
  return (ready?.what === 'ready' && ready.concurrency) || Number.POSITIVE_INFINITY;
}

/** What a client says that took one reply for another, or a piece of one for the whole. */
const misfits: readonly RegExp[] = [
  /must be .+, got (?:nothing|a list|another \w+)$/,
  /expected \{.*\}, got /,
  /has \d+ fields, got \d+/,
  /no mark for item \d+/,
];

/** CLIENT_SANE: whatever is cut and broken, no process gets a payload or a reply that is not its own, and none ends. */
export function clientSane({ records, processes, when }: Evidence, findings: Findings): void {
  for (const record of records) {
    const { by, at } = record;
    if (record.what === 'start' && !record.sane) {
      findings.broke(`${by} got another payload for ${record.id} at ${when(at)}`);
    }
    if (record.what === 'error' && isOurs(record))
      findings.broke(`${by} at ${when(at)}: ${record.code} ${record.text}`);
    if (record.what === 'process' && record.phase === 'started' && !processes.has(record.name)) {
      findings.broke(`${record.name} was started at ${when(at)}, and there is no history of it`);
    }
    if (record.what === 'process' && record.phase === 'exited' && endedBadly(record, records)) {
      findings.broke(
        `${record.name} did not leave in good order at ${when(at)}: ${record.signal ?? record.code ?? 'nobody knows how'}`,
      );
    }
  }
}

/** Who was not killed leaves in good order, when it is asked to. */
function endedBadly({ name, code, asked }: RecordOf<'process'>, records: readonly HistoryRecord[]): boolean {
  if (asked !== true) return true;
  const wasKilled = records.some((one) => one.what === 'process' && one.phase === 'killed' && one.name === name);
  return !wasKilled && code !== 0;
}

function isOurs({ code, text }: { code: string; text: string }): boolean {
  return code === 'ERR_BUG' || code === '' || misfits.some((misfit) => misfit.test(text));
}
