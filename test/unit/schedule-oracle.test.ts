/**
 * Cron in zones against the oracle, around every change of the clocks in 2026 to 2028 that differs from zone to zone.
 * `DUESTREAM_SCHEDULE_ORACLE=all` compares all changes with all patterns, and all zones with some: a few minutes.
 */
import { describe, expect, test } from 'vitest';
import { occurrences } from '../../src/schedule/nominal.js';
import type { Fold, Gap, Timing } from '../../src/schedule/rule.js';
import { resolveTiming } from '../../src/schedule/timing.js';
import { type Change, changesOf, classesOf, Walk } from '../support/schedule-oracle.js';

const isWhole = process.env['DUESTREAM_SCHEDULE_ORACLE'] === 'all';
const years = { fromMs: Date.UTC(2026, 0), toMs: Date.UTC(2029, 0) };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const zones = Intl.supportedValuesOf('timeZone');
const classes = classesOf(zones, years);

/** Each stands for something: a place in a change of the clocks, or the form of a field. */
const picked = [
  '* * * * * | */5 * * * * | 0 * * * * | 59 * * * * | 30 */2 * * * | 15 */3 * * * | */20 1-3 * * * | 0 0-23 * * *',
  '0 0 * * * | 30 0 * * * | 0 1 * * * | 30 1 * * * | 0 2 * * * | 15 2 * * * | 30 2 * * * | 59 2 * * * | 0 3 * * *',
  '0 23 * * * | 59 23 * * * | 30 0-4 * * * | 0,30 2,3 * * * | */15 2 * * * | 30 2 * * SUN | 30 2 * 3 SUN#L | 0 3 L * *',
  '30 1 LW * * | 0 2 15W * * | 0 2 1,15 * FRI | 0 0 1-7 * SUN | 0 12 * * MON-FRI | 30 2 28-31 3,10 * | 0 0 */2 * *',
  '0 2 * MAR,OCT SUN | 30 1 L,1 * SUN#1 | 0 22-23 * * 7',
].flatMap((line) => line.split(' | '));

/** What is there more than once is drawn more often. */
const forms = [
  '* 0 0 30 59 5,35 */15 */7 15-45 10-50/20 0,1,59',
  '* * */2 */5 0 1 1 2 2 2 3 3 4 23 0,23 1-3 2,3 0-23 1-23/2',
  '* * * * * * 1 1-7 */2 25-31 L LW 15W 29 7,28 8-14',
  '* * * * 3 10,11 MAR-APR SEP-NOV */2 1-6',
  '* * * * SUN 0,6 MON-FRI SUN#L SUN#2 SAT SUN#1 5-7 FRI',
].map((words) => words.split(' '));

/** The same ones each time. */
function generated(count: number): string[] {
  let state = 20_270_328;
  const one = (words: readonly string[]): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return words[Math.floor((state / 2 ** 32) * words.length)] ?? '*';
  };
  return Array.from({ length: count }, () => forms.map(one).join(' '));
}

const policies = (['shift', 'skip'] as const).flatMap((gap) =>
  (['first', 'last', 'both'] as const).map((fold) => ({ gap, fold })),
);

/** As it is documented: where the hours begin with a star, time elapses. */
function policyByPattern(pattern: string): { gap: Gap; fold: Fold } {
  const hours = pattern.split(' ').at(-4) ?? '';
  return hours.startsWith('*') ? { gap: 'skip', fold: 'both' } : { gap: 'shift', fold: 'first' };
}

function timingOf(cron: string, tz: string, policy: { gap?: Gap; fold?: Fold }): Timing | undefined {
  try {
    return resolveTiming({ cron, tz, ...policy });
  } catch (error) {
    if (String(error).includes('never fires')) return undefined;
    throw error;
  }
}

interface Tally {
  compared: number;
  times: number;
  deviations: string[];
}

function compare(walk: Walk, { zone, atMs }: Change, patterns: readonly string[]): Tally {
  const tally: Tally = { compared: 0, times: 0, deviations: [] };
  const { fromMs, toMs } = walk;
  for (const pattern of patterns) {
    const wallTimes = walk.matches(pattern);
    for (const policy of [undefined, ...policies]) {
      const timing = timingOf(pattern, zone, policy ?? {});
      const got = timing === undefined ? [] : occurrences(timing, { fromMs, toMs, max: 1_000_000 });
      const expected = walk.instants(wallTimes, policy ?? policyByPattern(pattern));
      tally.compared += 1;
      tally.times += expected.length;
      if (got.join() !== expected.join()) {
        tally.deviations.push(`${pattern} in ${zone} at ${new Date(atMs).toISOString()}, ${JSON.stringify(policy)}`);
      }
    }
  }
  return tally;
}

function compareAll(changes: readonly Change[], patterns: readonly string[]): Tally {
  const sum: Tally = { compared: 0, times: 0, deviations: [] };
  for (const change of changes) {
    const { compared, times, deviations } = compare(walkAround(change), change, patterns);
    sum.compared += compared;
    sum.times += times;
    sum.deviations.push(...deviations);
  }
  return sum;
}

function walkAround(change: Change): Walk {
  return new Walk(change, { aroundMs: 36 * hourMs, stepMs: 60_000 });
}

describe('the oracle', () => {
  test('knows the changes that are odd', () => {
    const found = (zone: string): number[] => changesOf(zone, { ...years, stepMs: dayMs }).map(({ byMs }) => byMs);
    expect(found('Europe/Berlin')).toEqual([1, -1, 1, -1, 1, -1].map((hours) => hours * hourMs));
    expect(found('Australia/Lord_Howe')).toContain(hourMs / 2);
    expect(found('Antarctica/Troll')).toContain(2 * hourMs);
    expect(found('Africa/Casablanca').length).toBeGreaterThan(4);
    expect(classes.length).toBeGreaterThan(20);
  });

  test('finds a wrong time when there is one', () => {
    const [change] = changesOf('Europe/Berlin', { ...years, stepMs: dayMs }) as [Change];
    const walk = walkAround(change);
    expect(walk.instants(walk.matches('30 2 * * *'), { gap: 'skip', fold: 'first' })).toHaveLength(2);
    expect(walk.instants(walk.matches('30 2 * * *'), { gap: 'shift', fold: 'first' })).toHaveLength(3);
  });
});

/** One spring and one autumn of each class, each class with other patterns. */
test('around the changes of each class of zones, every policy', () => {
  const generatedPatterns = generated(400);
  const sum: Tally = { compared: 0, times: 0, deviations: [] };
  classes.forEach((changes, at) => {
    const patterns = isWhole ? [...picked, ...generatedPatterns] : some([...picked, ...generatedPatterns], at, 6);
    const { compared, times, deviations } = compareAll(isWhole ? changes : changes.slice(0, 2), patterns);
    sum.compared += compared;
    sum.times += times;
    sum.deviations.push(...deviations.slice(0, 3));
  });
  if (isWhole) console.log(`${classes.length} classes, ${sum.compared} comparisons, ${sum.times} times`);
  expect(sum.deviations).toEqual([]);
  expect(sum.compared).toBeGreaterThan(1_500);
  expect(sum.times).toBeGreaterThan(5_000);
}, 3_600_000);

/** Those of that round, so that each round has others. */
function some(patterns: readonly string[], round: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => patterns[(round * count + at) % patterns.length] as string);
}

/** The first two changes of a zone, walked once. */
function walked(zone: string, by: { aroundMs: number; stepMs: number }): { change: Change; walk: Walk }[] {
  const changes = changesOf(zone, { ...years, stepMs: dayMs }).slice(0, 2);
  return changes.map((change) => ({ change, walk: new Walk(change, by) }));
}

describe('in zones that are odd', () => {
  const odd = [
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'Antarctica/Troll',
    'Africa/Cairo',
    'Asia/Beirut',
    'Africa/Casablanca',
  ];
  const walks = odd.flatMap((zone) => walked(zone, { aroundMs: 36 * hourMs, stepMs: 60_000 }));

  test.each(picked.slice(1))('%s', (pattern) => {
    expect(walks.flatMap(({ change, walk }) => compare(walk, change, [pattern]).deviations)).toEqual([]);
  });
});

describe('by the second', () => {
  const zones = ['Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Beirut'];
  const walks = zones.flatMap((zone) => walked(zone, { aroundMs: hourMs, stepMs: 1_000 }));

  test.each(['*/7 * * * * *', '30 59 1 * * *', '0,59 */30 2 * * *', '1-3 0 * * * SUN', '15 30 0-4 * * *'])(
    '%s',
    (pattern) => {
      expect(walks.flatMap(({ change, walk }) => compare(walk, change, [pattern]).deviations)).toEqual([]);
    },
  );
});

/** Not by class: a few, or each. */
test('in zones one by one', { timeout: 3_600_000 }, () => {
  const patterns = ['30 * * * *', '0 0 * * *', '30 1 * * *', '30 2 * * *', '0 3 * * *', '10 23 * * *'];
  const chosen = zones.filter((_, at) => isWhole || at % 80 === 0);
  const changes = chosen.flatMap((zone) => changesOf(zone, { ...years, stepMs: dayMs }));
  const sum = compareAll(changes, patterns);
  if (isWhole) console.log(`${changes.length} changes, ${sum.compared} comparisons, ${sum.times} times`);
  expect(sum.deviations).toEqual([]);
});

test('a day that a zone left out', () => {
  const noons = (gap: Gap): string[] => {
    const apia = resolveTiming({ cron: '0 12 * * *', tz: 'Pacific/Apia', start: '2011-12-28T00:00Z', gap });
    return occurrences(apia, { fromMs: 0, max: 4 }).map((atMs) => new Date(atMs).toISOString().slice(0, 13));
  };
  expect(noons('skip')).toEqual(['2011-12-28T22', '2011-12-29T22', '2011-12-30T22', '2011-12-31T22']);
  expect(noons('shift')).toEqual(['2011-12-28T22', '2011-12-29T22', '2011-12-30T10', '2011-12-30T22']);
});
