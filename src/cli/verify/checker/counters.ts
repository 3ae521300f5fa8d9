import type { HistoryRecord, RecordOf } from '../history/records.js';
import type { Findings } from './check-result.js';
import type { Evidence } from './evidence.js';

const statuses = ['ready', 'scheduled', 'duplicate'] as const;

/** What a counter must show: exactly, or up to so many more that happened without a word of it in the history. */
interface Expected {
  readonly of: string;
  readonly shown: number;
  readonly noted: number;
  readonly more: number;
}

/**
 * METRICS: a process that ended well counted what it noted. Of a batch that failed the metric knows which part was added;
 * a task that lost too many leases is counted by who buried it, without an event.
 */
export function metrics(evidence: Evidence, findings: Findings): void {
  const exits = evidence.of('process').filter(({ phase, code }) => phase === 'exited' && code === 0);
  const left = new Set(exits.map(({ name }) => name));
  let compared = 0;
  for (const [by, records] of evidence.processes) {
    const told = records.find((record) => record.what === 'metrics');
    if (told === undefined && left.has(by)) findings.broke(`${by} left in good order, and told no counter`);
    if (told === undefined) continue;
    const until = records.filter(({ at }) => at <= told.at);
    for (const { of, shown, noted, more } of expectationsOf(told, until, evidence)) {
      compared += 1;
      if (shown >= noted && shown <= noted + more) continue;
      const wanted = more > 0 ? `${noted} to ${noted + more}` : `${noted}`;
      findings.broke(`${by} counts ${shown} ${of}, its history ${wanted}`);
    }
  }
  findings.figure('countersCompared', compared);
}

function expectationsOf(
  told: RecordOf<'metrics'>,
  records: readonly HistoryRecord[],
  { audit }: Evidence,
): readonly Expected[] {
  const shown = (name: string, label = ''): number => sumOf(told.samples, `duestream_${name}_total`, label);
  const noted = (holds: (record: HistoryRecord) => boolean): number => records.filter(holds).length;
  const unheard = noted(({ what }) => what === 'add_unknown' || what === 'add_refused');
  const isBurial = (record: RecordOf<'audit'>): boolean =>
    record.op === 'end' && record.verb === 'bury' && record.consumer === '';
  const buried = audit.flat().filter(isBurial).length;
  const settled = { completed: ['completed', 0], retried: ['retried', 0], dead: ['dead', buried] } as const;
  return [
    ...statuses.map((status) => ({
      of: `added as ${status}`,
      shown: shown('tasks_added', `status="${status}"`),
      noted: noted((record) => record.what === 'added' && record.status === status),
      more: unheard,
    })),
    ...Object.entries(settled).map(([outcome, [what, more]]) => ({
      of: `settled as ${outcome}`,
      shown: shown('tasks_settled', `outcome="${outcome}"`),
      noted: noted((record) => record.what === what),
      more,
    })),
    {
      of: 'recovered',
      shown: shown('deliveries_recovered'),
      noted: noted(({ what }) => what === 'recovered'),
      more: 0,
    },
    { of: 'leases lost', shown: shown('lease_lost'), noted: noted(({ what }) => what === 'lease_lost'), more: 0 },
  ];
}

/** Over all other labels. */
function sumOf(samples: Readonly<Record<string, number>>, name: string, label: string): number {
  return Object.entries(samples)
    .filter(([key]) => (key === name || key.startsWith(`${name}{`)) && key.includes(label))
    .reduce((sum, [, value]) => sum + value, 0);
}
