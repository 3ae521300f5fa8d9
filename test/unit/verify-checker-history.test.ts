import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { check } from '../../src/cli/verify/checker/check.js';
import { Faults } from '../../src/cli/verify/checker/faults.js';
import { RedisClock } from '../../src/cli/verify/checker/redis-clock.js';
import { inOrder, readHistory, recordsOf } from '../../src/cli/verify/history/read.js';
import type { RecordOf } from '../../src/cli/verify/history/records.js';
import { brokenIn, CampaignHistory, clockReading } from '../support/campaign-history.js';

const line = (at: number, id: string): string => JSON.stringify({ at, what: 'cancel', id });

describe('a file of a history', () => {
  test('tells who wrote it by its name', () => {
    expect(recordsOf('worker-2.3.jsonl', `${line(1, 'a')}\n`)).toEqual([
      { at: 1, by: 'worker-2.3', what: 'cancel', id: 'a' },
    ]);
  });

  test.each(['{"at":2,"wh', '{"at":2', '2', '', '{}'])('may end in what a kill has torn: %s', (torn) => {
    expect(recordsOf('worker-1.1.jsonl', `${line(1, 'a')}\n${torn}`)).toHaveLength(1);
  });

  test('may lack nothing but the end of its last line', () => {
    expect(recordsOf('worker-1.1.jsonl', `${line(1, 'a')}\n${line(2, 'b')}`)).toHaveLength(2);
  });

  test('is refused when it is torn anywhere else', () => {
    const text = `${line(1, 'a')}\n{"at":2,"wh\n${line(3, 'c')}\n`;
    expect(() => recordsOf('worker-1.1.jsonl', text)).toThrow('worker-1.1.jsonl:2 is no record');
  });
});

describe('a folder', () => {
  let folder: string | undefined;
  afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('holds the history of all, by their instants, and logs that are none of it', async () => {
    folder = await mkdtemp(join(tmpdir(), 'history-'));
    const one = new CampaignHistory().task('a', 1_000).reign(7, 2_000).records();
    for (const by of new Set(one.map((record) => record.by))) {
      const lines = one.filter((record) => record.by === by).map(({ by: _by, ...record }) => JSON.stringify(record));
      await writeFile(join(folder, `${by}.jsonl`), `${lines.join('\n')}\n{"at":9`);
      await writeFile(join(folder, `${by}.log`), 'words');
    }
    const read = await readHistory(folder);
    expect(read.filter(({ what }) => what !== 'plan')).toHaveLength(one.length - 1);
    expect(read.map(({ at }) => at)).toEqual(one.map(({ at }) => at));
    expect(brokenIn(check(read))).toEqual([]);
  });
});

test('what one process noted at one instant stays in its order', () => {
  const files = ['worker-1.1', 'worker-2.1'].map((by) =>
    recordsOf(`${by}.jsonl`, [line(5, `${by} first`), line(5, `${by} then`), line(4, `${by} before`)].join('\n')),
  );
  expect(inOrder(files).map((record) => 'id' in record && record.id)).toEqual([
    'worker-1.1 before',
    'worker-2.1 before',
    'worker-1.1 first',
    'worker-1.1 then',
    'worker-2.1 first',
    'worker-2.1 then',
  ]);
});

describe('the clock of Redis', () => {
  const clockOf = (...readings: readonly (readonly [at: number, offsetMs: number])[]): RedisClock =>
    new RedisClock(readings.map(([at, offsetMs]) => clockReading(at, offsetMs) as RecordOf<'clock'>));

  test('is known as well as the readings around tell it', () => {
    const clock = clockOf([100, 1_000], [200, 1_000], [300, 3_000]);
    expect(clock.offsetAt(150)).toEqual({ lowMs: 999.9, highMs: 1_000.1 });
    expect(clock.offsetAt(250)).toEqual({ lowMs: 999.9, highMs: 3_000.1 });
    expect(clock.offsetAt(50)).toEqual({ lowMs: 999.9, highMs: 1_000.1 });
    expect(clock.offsetAt(900)).toEqual({ lowMs: 2_999.9, highMs: 3_000.1 });
    expect(clock.offsetBetween(110, 220)).toEqual({ lowMs: 999.9, highMs: 3_000.1 });
  });

  test('showed an instant once when it was not stepped', () => {
    const { fromMs, toMs } = clockOf([100, 1_000], [200, 1_000], [300, 1_000]).whenItWas(1_150);
    expect(fromMs).toBeCloseTo(149.9);
    expect(toMs).toBeCloseTo(151.1);
  });

  test('showed an instant twice when it was stepped back', () => {
    const { fromMs, toMs } = clockOf([100, 1_000], [200, 1_000], [300, 900], [400, 900]).whenItWas(1_195);
    expect(fromMs).toBeCloseTo(194.9);
    expect(toMs).toBeCloseTo(296.1);
  });

  test('is carried on before the first reading and after the last', () => {
    const clock = clockOf([100, 1_000], [200, 1_000]);
    expect(clock.whenItWas(1_000).fromMs).toBeCloseTo(-0.1);
    expect(clock.whenItWas(9_000).toMs).toBeCloseTo(8_001.1);
  });

  test('showed anything when nobody read it', () => {
    expect(clockOf().whenItWas(5)).toEqual({ fromMs: -Infinity, toMs: Infinity });
    expect(clockOf().offsetAt(5)).toEqual({ lowMs: -Infinity, highMs: Infinity });
  });
});

describe('the faults', () => {
  const fault = (n: number, phase: 'begin' | 'end', at: number): RecordOf<'fault'> => {
    return { at, by: 'nemesis', what: 'fault', n, fault: 'a-fault', target: 'redis', costs: [], phase };
  };

  test('trouble the times between the first begin and the last end of those that overlap', () => {
    const records = [fault(1, 'begin', 10), fault(2, 'begin', 15), fault(1, 'end', 20), fault(2, 'end', 30)];
    const { troubled } = new Faults([...records, fault(3, 'begin', 40), fault(3, 'end', 50)], new Set());
    expect(troubled).toEqual([
      { fromMs: 10, toMs: 30 },
      { fromMs: 40, toMs: 50 },
    ]);
  });

  test('last for ever when nobody noted their end', () => {
    expect(new Faults([fault(1, 'begin', 10)], new Set()).isTroubled({ fromMs: 1e9, toMs: 1e9 })).toBe(true);
  });

  test.each([
    [0, 9, false],
    [0, 10, true],
    [20, 25, true],
    [21, 25, false],
    [12, 13, true],
    [0, 99, true],
  ])('from 10 to 20, seen from %i to %i: %s', (fromMs, toMs, isTroubled) => {
    const faults = new Faults([fault(1, 'begin', 10), fault(1, 'end', 20)], new Set());
    expect(faults.isTroubled({ fromMs, toMs })).toBe(isTroubled);
  });
});

test('a long history is judged in a few seconds', () => {
  const history = new CampaignHistory();
  for (let at = 0; at < 35_000; at += 1)
    history.task(`task-${at}`, 100 + at, at % 2 === 0 ? 'worker-1.1' : 'worker-2.1');
  for (let at = 0; at < 300; at += 1)
    history.fault('a-fault', at * 100, at * 100 + 90, { target: 'worker-1', costs: ['leases'] });
  const records = history.records();
  expect(records.length).toBeGreaterThan(200_000);
  const before = process.cpuUsage(); // not the clock: others may be at work on these cores
  expect(check(records).figures).toMatchObject({ tasks: 35_000, completed: 35_000 });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(6_000);
});
