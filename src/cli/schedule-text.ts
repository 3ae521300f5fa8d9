import { type BackfillInfo, formatDuration, type Passed, type ScheduleInfo } from '../index.js';
import { localTime } from './local-time.js';
import { table, timeText } from './output.js';

/** A schedule for people: what it is, what comes, what was, what was not and why. */
export function scheduleText(info: ScheduleInfo): string {
  const facts: [string, string | undefined][] = [
    ['schedule', info.name],
    ['state', info.state],
    ['paused', info.paused ? pauseText(info.paused) : undefined],
    ['version', String(info.version)],
    ['rule', info.rule],
    ...ruleFacts(info),
    ...policyFacts(info),
    ...taskFacts(info),
    ['created', timeText(info.createdAt)],
    ['count', String(info.count)],
    ['backfill', info.backfill ? backfillText(info.backfill) : undefined],
    ['backfilled', info.lastBackfill ? backfillText(info.lastBackfill, true) : undefined],
  ];
  const timesOf = (head: string, times: readonly number[]): string => timeTable(head, times, zoneOf(info));
  const parts = [
    table(facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    timesOf(info.paused ? 'NEXT, IF RESUMED' : 'NEXT', info.upcoming),
    timesOf('WAITING FOR THE FORMER', info.waiting),
    timesOf('FIRED', info.fired),
    passedTable(info.passed),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

export function pauseText({ since, note }: { since: number; note: string }): string {
  return `since ${timeText(since)}${note === '' ? '' : `: ${note}`}`;
}

/** One that did all of its range has come to its end. */
export function backfillText({ from, to, next, added }: BackfillInfo, isOver = false): string {
  const range = `${timeText(from)} up to ${timeText(to)}: ${added} added`;
  if (isOver && next >= to) return range;
  return `${range}, ${isOver ? 'stopped at' : 'come to'} ${timeText(next)}`;
}

/** What the rule has beside its pattern or distance, and its defaults where they say something. */
function ruleFacts({ timing }: ScheduleInfo): [string, string | undefined][] {
  const { rule, startMs, endMs, exclude, jitterMs } = timing;
  const excluded = [...exclude.dates, ...exclude.timesMs.map(timeText), ...exclude.crons.map((cron) => `"${cron}"`)];
  const anchor = rule.kind === 'every' && rule.anchorMs > 0 ? timeText(rule.anchorMs) : undefined;
  return [
    ['gap', rule.kind === 'cron' ? rule.gap : undefined],
    ['fold', rule.kind === 'cron' ? rule.fold : undefined],
    ['anchor', anchor],
    ['start', startMs === null ? undefined : timeText(startMs)],
    ['end', endMs === null ? undefined : timeText(endMs)],
    ['exclude', excluded.length === 0 ? undefined : listText(excluded)],
    ['jitter', jitterMs === 0 ? undefined : formatDuration(jitterMs)],
  ];
}

const listedMax = 10;

function listText(items: readonly string[]): string {
  const more = items.length - listedMax;
  return `${items.slice(0, listedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function policyFacts({ policy }: ScheduleInfo): [string, string | undefined][] {
  const { catchUp, windowMs, overlap, limit, pauseAfter } = policy;
  return [
    ['catch up', typeof catchUp === 'string' ? catchUp : `all, at most ${catchUp.all}`],
    ['window', windowMs === null ? undefined : formatDuration(windowMs)],
    ['overlap', typeof overlap === 'string' ? overlap : `bufferAll, at most ${overlap.bufferAll}`],
    ['limit', limit === null ? undefined : String(limit)],
    ['pause after', pauseAfter === null ? undefined : `${pauseAfter} dead in a row`],
  ];
}

function taskFacts({ name, task }: ScheduleInfo): [string, string | undefined][] {
  const { maxAttempts, backoff, timeoutMs, expiresInMs } = task;
  const backoffText =
    backoff && `${backoff.type} ${formatDuration(backoff.delayMs)}, up to ${formatDuration(backoff.maxMs)}`;
  return [
    ['task', task.name],
    ['key', task.key === name ? undefined : task.key],
    ['max attempts', maxAttempts?.toString()],
    ['backoff', backoffText],
    ['timeout', timeoutMs === undefined ? undefined : formatDuration(timeoutMs)],
    ['expires in', expiresInMs === undefined ? undefined : formatDuration(expiresInMs)],
    ['payload', JSON.stringify(task.payload)],
  ];
}

/** The zone whose clocks the rule means; undefined where that is UTC. */
function zoneOf({ timing: { rule } }: ScheduleInfo): string | undefined {
  return rule.kind === 'cron' && rule.tz !== 'UTC' ? rule.tz : undefined;
}

function timeTable(head: string, times: readonly number[], zone: string | undefined): string {
  if (times.length === 0) return '';
  const rows = times.map((ms) => [timeText(ms), ...(zone === undefined ? [] : [localTime(ms, zone)])]);
  return table([[head, ...(zone === undefined ? [] : [zone])], ...rows]);
}

const whyTexts: Readonly<Record<Passed['why'], string>> = {
  missed: 'missed: nobody could fire it in time',
  coalesced: 'missed: a later one was fired for all',
  overlap: 'overlap: the one before was not settled',
  paused: 'paused: it came in a pause',
};

function passedTable(passed: ScheduleInfo['passed']): string {
  if (passed.length === 0) return '';
  const rows = passed.map(({ fromMs, toMs, count, why, backfilled }) => [
    timeText(fromMs),
    fromMs === toMs ? '' : timeText(toMs),
    String(count),
    `${whyTexts[why]}${backfilled ? '; backfilled since' : ''}`,
  ]);
  return table([['NOT FIRED', 'TO', 'COUNT', 'WHY'], ...rows]);
}
