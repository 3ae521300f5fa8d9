import type { AppliedSchedule, FieldChange } from '../index.js';
import { table, timeText } from './output.js';

const signs: Readonly<Record<AppliedSchedule['status'], string>> = {
  created: '+',
  changed: '~',
  deleted: '-',
  older: '!',
  unchanged: '=',
};

/** What becomes of schedules, a paragraph for each; the unchanged ones are only counted. '' when there is nothing to tell. */
export function diffText(applied: readonly AppliedSchedule[]): string {
  const told = applied.filter(({ status }) => status !== 'unchanged');
  const heads = table(told.map(headOf)).split('\n');
  return told.map(({ changes }, at) => [heads[at] ?? '', ...fieldLines(changes)].join('\n')).join('\n');
}

/** Whether it was written and has no time to come. No error: the same was well while it had some, and other processes write it too. */
export function isNeverFired({ status, next }: AppliedSchedule): boolean {
  return next === null && (status === 'created' || status === 'changed');
}

export function neverText({ name, status }: AppliedSchedule): string {
  return `${name} will fire nothing: all its times are past${status === 'created' ? '' : ', or its limit is reached'}`;
}

/** `1 created, 2 unchanged`. */
export function countText(applied: readonly AppliedSchedule[]): string {
  const counts = (Object.keys(signs) as AppliedSchedule['status'][]).map((status) => {
    return [applied.filter((one) => one.status === status).length, status] as const;
  });
  const told = counts.filter(([count]) => count > 0).map(([count, status]) => `${count} ${status}`);
  return told.length === 0 ? 'no schedules' : told.join(', ');
}

/** Whether they say the same: when a schedule comes next may have moved on. */
export function isSameDiff(one: readonly AppliedSchedule[], other: readonly AppliedSchedule[]): boolean {
  const texts = [one, other].map((all) => JSON.stringify(all.map((each) => ({ ...each, next: null }))));
  return texts[0] === texts[1];
}

function headOf({ name, status, version, rule, next }: AppliedSchedule): string[] {
  const told: Readonly<Record<AppliedSchedule['status'], string>> = {
    created: `${rule}, next ${timeText(next)}`,
    changed: `version ${version}, next ${timeText(next)}`,
    deleted: rule,
    older: `a higher version stands, ${version}: left as it is`,
    unchanged: '',
  };
  return [signs[status], name, told[status]];
}

/** A line for each field that is another; none where there are none. */
export function fieldLines(changes: readonly FieldChange[]): string[] {
  if (changes.length === 0) return [];
  return [table(changes.map((change) => ['   ', change.field, changeText(change)]))];
}

function changeText({ from, to }: FieldChange): string {
  return from === undefined && to === undefined ? 'differs' : `${from ?? 'none'} → ${to ?? 'none'}`;
}
