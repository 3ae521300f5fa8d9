import { number, type Paint } from './frame.js';
import { type Lateness, msText } from './lateness.js';
import type { Report } from './verdict.js';

type Row = readonly [what: string, figure: string, note: string, isKept?: boolean];

/** The report as a table, for people. */
export function summaryOf(report: Report, paint: Paint): string {
  const end = report.held
    ? paint('green', 'Every promise held.')
    : paint('red', `Broken: ${report.broken.join('; ')}.`);
  return ['', ...rowsOf(report).map((row) => lineOf(row, paint)), '', end].join('\n');
}

function lineOf([what, figure, note, isKept]: Row, paint: Paint): string {
  const mark = isKept === undefined ? '     ' : paint(isKept ? 'green' : 'red', isKept ? 'ok   ' : 'WRONG');
  return `  ${what.padEnd(12)}${figure.padStart(9)}  ${mark} ${note}`.trimEnd();
}

function rowsOf({ tasks, lost, early, duplicates, retried, completedTwice, lateness, takeOver }: Report): Row[] {
  const { electedMs, promotedMs, withinMs, lockTtlMs } = takeOver;
  const again = duplicates.recovered + duplicates.unexplained;
  const inTime = electedMs !== null && electedMs <= withinMs;
  return [
    ['tasks', number(tasks.added), `${number(tasks.delayed)} of them delayed; ${number(tasks.completed)} completed`],
    ['lost', number(lost.count), lost.count === 0 ? '' : `${lost.started} of them had been started`, lost.count === 0],
    ['early', number(early.count), earlyNote(early), early.count === 0],
    [
      'duplicates',
      number(again),
      `${duplicates.recovered} after a lost lease, ${duplicates.unexplained} without a cause, ${completedTwice} completed twice`,
      duplicates.unexplained === 0 && completedTwice === 0,
    ],
    ['retries', number(retried), 'failed once, on purpose'],
    [
      'lateness',
      msText(lateness.outsideTakeOver.p99Ms),
      `p99 without the take-over (${restOf(lateness.outsideTakeOver)})`,
    ],
    ['', msText(lateness.all.p99Ms), `p99 with it (${restOf(lateness.all)})`],
    [
      'take-over',
      msText(electedMs),
      `to the next leader, ${msText(promotedMs)} to its first task (lock TTL ${msText(lockTtlMs)})`,
      inTime,
    ],
  ];
}

function earlyNote({ leastMs, withinMs }: Report['early']): string {
  return `the nearest ${msText(leastMs)} after it was due (clocks read to ±${msText(withinMs)})`;
}

function restOf({ p50Ms, maxMs }: Lateness): string {
  return `p50 ${msText(p50Ms)}, worst ${msText(maxMs)}`;
}
