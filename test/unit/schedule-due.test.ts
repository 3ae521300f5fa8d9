import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { dueOf } from '../../src/schedule/due.js';
import { nextNominal, occurrences } from '../../src/schedule/nominal.js';
import type { ScheduleTiming } from '../../src/schedule/rule.js';
import { resolveTiming } from '../../src/schedule/timing.js';

const fromMs = Date.parse('2027-10-30T00:00Z');

test('without jitter an occurrence is due at its nominal time', () => {
  expect(dueOf(resolveTiming({ every: '1h' }), { schedule: 'a', nominalMs: fromMs })).toBe(fromMs);
});

test('jitter is the same each time, and in another language', () => {
  const timing = resolveTiming({ every: '1h', jitter: '10m' });
  const bits = createHash('sha256').update(`report\n${fromMs}`).digest('hex').slice(0, 12);
  const expected = fromMs + Number(BigInt(`0x${bits}`) % 600_000n);
  expect(dueOf(timing, { schedule: 'report', nominalMs: fromMs })).toBe(expected);
  expect(dueOf(resolveTiming({ every: '1h', jitter: '10m' }), { schedule: 'report', nominalMs: fromMs })).toBe(
    expected,
  );
  // Written down, so that it never changes by mistake.
  expect(dueOf(timing, { schedule: 'report', nominalMs: 1_800_000_000_000 }) - 1_800_000_000_000).toBe(14864);
});

test('other names and other times have other jitters, spread over all of it', () => {
  const timing = resolveTiming({ every: '1h', jitter: '1h' });
  const late = Array.from(
    { length: 2_000 },
    (_, at) => dueOf(timing, { schedule: `s${at}`, nominalMs: fromMs }) - fromMs,
  );
  const quarters = [0, 1, 2, 3].map((quarter) => late.filter((ms) => Math.floor(ms / 900_000) === quarter).length);
  expect(Math.min(...quarters)).toBeGreaterThan(400);
  expect(new Set(late).size).toBeGreaterThan(1_990);
});

test.each<[string, ScheduleTiming]>([
  ['every', { every: '100ms', jitter: '100ms' }],
  ['cron', { cron: '* * * * *', jitter: '1m' }],
  ['cron around a fold', { cron: '0 0-23 * * *', tz: 'Europe/Berlin', fold: 'both', jitter: '1h' }],
  ['cron in a fold of half an hour', { cron: '0,59 * * * *', tz: 'Australia/Lord_Howe', jitter: '1m' }],
  ['at', { at: [fromMs, fromMs + 1_000, fromMs + 7_000], jitter: '1s' }],
])('%s: never before the nominal time, and before the next one', (_what, input) => {
  const timing = resolveTiming(input);
  for (const nominalMs of occurrences(timing, { fromMs, max: 300 })) {
    const due = dueOf(timing, { schedule: 'x', nominalMs });
    expect(due).toBeGreaterThanOrEqual(nominalMs);
    expect(due).toBeLessThan(Math.min(nextNominal(timing, nominalMs) ?? Infinity, nominalMs + timing.jitterMs));
  }
});

test('where the next is nearer than the jitter, there is only that room', () => {
  const timing = { ...resolveTiming({ cron: '30 2,3 * * *', tz: 'Europe/Berlin' }), jitterMs: 3_600_000 };
  const gapMs = Date.parse('2027-03-28T01:00Z'); // 02:30 is shifted here, and 03:30 is half an hour away
  const late = Array.from({ length: 200 }, (_, at) => dueOf(timing, { schedule: `s${at}`, nominalMs: gapMs }) - gapMs);
  expect(Math.max(...late)).toBeLessThan(1_800_000);
  expect(Math.max(...late)).toBeGreaterThan(1_700_000);
});
