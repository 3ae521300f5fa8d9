import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { add } from '../../src/redis/scripts.generated.js';
import {
  addTask,
  counted,
  dump,
  expectStatus,
  keys,
  now,
  promoted,
  recordOf,
  run,
  send,
  useRedis,
} from '../support/partition.js';

useRedis();

const item = { id: 'a', when: '+0', expires: '', record: '["job"]' };

describe('when', () => {
  const cases: { when: string; mark: 'r' | 's'; due: string }[] = [
    { when: '+0', mark: 'r', due: '1800000000000' },
    { when: '+1', mark: 's', due: '1800000000001' },
    { when: '+86400000', mark: 's', due: '1800086400000' },
    { when: '1799999999999', mark: 'r', due: '1799999999999' },
    { when: '1800000000000', mark: 'r', due: '1800000000000' },
    { when: '1800000000001', mark: 's', due: '1800000000001' },
    { when: '2000000000000', mark: 's', due: '2000000000000' },
    { when: '99999999999999', mark: 's', due: '99999999999999' },
    { when: '100000000000000', mark: 's', due: '100000000000000' },
    { when: '1900000000000001', mark: 's', due: '1900000000000001' },
    { when: '8640000000000000', mark: 's', due: '8640000000000000' },
    { when: '0', mark: 'r', due: '0' },
    { when: '00', mark: 'r', due: '0' },
    { when: '01800000000001', mark: 's', due: '1800000000001' },
  ];
  test.each(cases)('$when is $mark, due $due', async ({ when, mark, due }) => {
    expect(await addTask('a', when)).toBe(mark);
    if (mark === 's') {
      expect(await send('ZRANGE', keys.due, 0, -1, 'WITHSCORES')).toEqual(['a', due]);
      expect(await send('XLEN', keys.stream)).toBe(0);
    } else {
      const [[entry, fields]] = (await send('XRANGE', keys.stream, '-', '+')) as [[string, string[]]];
      expect(fields).toEqual(['id', 'a', 'due', due]);
      expect(await send('HGET', keys.live, 'a')).toBe(entry);
      expect(await send('ZCARD', keys.due)).toBe(0);
    }
  });

  test("a delay ends after the whole of it, counted from the server's exact time", async () => {
    for (let round = 0; round < 50; round += 1) {
      const [seconds, micros] = (await send('TIME')) as [string, string];
      await addTask(`a${round}`, '+1000', { nowMs: 0 });
      const due = Number(await send('ZSCORE', keys.due, `a${round}`));
      expect(due).toBeGreaterThanOrEqual(Number(seconds) * 1000 + Number(micros) / 1000 + 1000);
      expect(Number.isInteger(due)).toBe(true);
    }
  });
});

test('a due time of 16 digits that has come is written with all of them', async () => {
  await addTask('a', '1900000000000001', { nowMs: 1_900_000_000_000_001 });
  expect(await send('XRANGE', keys.stream, '-', '+')).toMatchObject([
    [expect.any(String), ['id', 'a', 'due', '1900000000000001']],
  ]);
});

describe('expires', () => {
  const cases = [
    { when: '+1000', expires: '+500', score: '1800000001500' },
    { when: '+0', expires: '+1', score: '1800000000001' },
    { when: '1900000000000', expires: '+60000', score: '1900000060000' },
    { when: '+1000', expires: '1800000009999', score: '1800000009999' },
    { when: '+1000', expires: '', score: null },
  ];
  test.each(cases)('due $when, expires "$expires": $score', async ({ when, expires, score }) => {
    await addTask('a', when, { expires });
    expect(await send('ZSCORE', keys.expiry, 'a')).toBe(score);
  });
});

describe('the record', () => {
  const payloads = [
    '[]',
    '{}',
    '1234567890123456',
    '0.1234567890123456789',
    '12345678901234567890123',
    '"\\u00e9\\ud83d\\ude00é😀"',
    '"\\"}{"',
    '{"a":[[],{}],"b":1e400}',
  ];
  test.each(payloads)('keeps every byte of the payload %s behind the time of its creation', async (payload) => {
    await addTask('a', '+1000', { record: `["job",${payload}]` });
    expect(await recordOf('a')).toBe(`[${now},"job",${payload}]`);
  });

  test.each(['', '{}', '[]', '"n"', 'null', '{"job":1}', '[1,"job"]', ' ["job"]'])(
    '%j is refused, and nothing is written for it',
    async (record) => {
      await addTask('other');
      const before = await dump();
      expect(await addTask('a', '+0', { record })).toBe('x');
      expect(await dump()).toEqual(before);
    },
  );

  test.each([
    '',
    'soon',
    '-0',
    '-1',
    '-1000',
    '+-5',
    '+',
    '+1.5',
    '1e3',
    'nan',
    'inf',
    '0x10',
    '9999999999999999',
    '+9999999999999999',
  ])('a when of "%s" is refused, and nothing is written for it', async (when) => {
    await addTask('other');
    const before = await dump();
    expect(await addTask('a', when)).toBe('x');
    expect(await dump()).toEqual(before);
  });

  test.each(['+', 'never', '-0', '-5', '+1.5', 'inf'])(
    'an expires of "%s" is refused, and nothing is written for it',
    async (expires) => {
      await addTask('other');
      const before = await dump();
      expect(await addTask('a', '+5', { expires })).toBe('x');
      expect(await dump()).toEqual(before);
    },
  );

  test('a call that ends in the middle of an item adds the whole ones', async () => {
    const { sha1 } = add;
    const names = add.keys.map((name) => keys[name]);
    await addTask('first');
    const reply = await send(
      'EVALSHA',
      sha1,
      names.length,
      ...names,
      '1/1',
      now,
      '',
      0,
      'a',
      '+0',
      '',
      item.record,
      'b',
      '+0',
    );
    expect(reply).toEqual(['ok', 'rx']);
  });
});

const oddIds = [
  'with space',
  'a:b:c',
  '{tag}',
  '-',
  '+',
  '*',
  '$',
  '0',
  'ünï😀',
  'a\tb',
  '"quoted"',
  '%s%d',
  'x'.repeat(256),
];
test.each(oddIds)('the id %j is kept as it is', async (id) => {
  expect(await addTask(id, '+5')).toBe('s');
  expect(await addTask(`${id}!`, '+0')).toBe('r');
  expect(await addTask(id, '+5')).toBe('d');
  expect(await send('ZRANGE', keys.due, 0, -1)).toEqual([id]);
  expect(((await send('HKEYS', keys.tasks)) as string[]).sort()).toEqual([id, `${id}!`].sort());
});

test('an id that is no UTF-8 is refused, one that is is not, whatever its bytes', async () => {
  const edges = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee];
  edges.push(0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
  const longer = (ids: number[][], more: number[]): number[][] =>
    ids.flatMap((id) => more.map((byte) => [...id, byte]));
  const pairs = longer([[0], [0x41], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc3, 0xa9]], edges);
  const triples = longer(longer([[0xc3], [0xe0], [0xe1], [0xed], [0xef], [0x80]], edges), edges);
  const quads = longer(
    longer(longer([[0xf0], [0xf1], [0xf3], [0xf4], [0xf5]], edges), edges),
    [0x7f, 0x80, 0xbf, 0xc0],
  );
  const ids = [...pairs, ...triples, ...quads].map((bytes) => Buffer.from(bytes));
  const names = add.keys.map((name) => keys[name]);
  await addTask('first'); // loads the script
  const items = ids.flatMap((id) => [id, '+5', '', item.record]);
  const reply = await send('EVALSHA', add.sha1, names.length, ...names, '1/1', now, '', 0, ...items);
  expect(reply).toEqual(['ok', ids.map((id) => (isUtf8(id) ? 's' : 'x')).join('')]);
});

test('a batch is answered item by item, and each id is added once', async () => {
  const items = [item, { ...item, id: 'b', when: '+9' }, item, { ...item, id: 'c', record: 'x' }, { ...item, id: 'b' }];
  expect(await run(add, { items })).toEqual({ status: 'ok', marks: 'rsdxd' });
  expect(await counted('added')).toBe(2);
  expect(await send('XLEN', keys.stream)).toBe(1);
});

test('a duplicate changes nothing', async () => {
  await addTask('a', '+1000', { expires: '+5', record: '["job",1]' });
  const before = await dump();
  expect(await addTask('a', '+5', { expires: '', record: '["other",2]' })).toBe('d');
  expect(await dump()).toEqual(before);
});

test('the first add writes the layout, a later one with another is refused', async () => {
  await addTask('a', '+0', { layout: '1/4' });
  const before = await dump();
  expect(await run(add, { items: [item] })).toEqual({ status: 'other_layout', layout: '1/4' });
  expect(await dump()).toEqual(before);
});

test('in a paused queue what is due now waits in the schedule', async () => {
  await send('HSET', keys.meta, 'paused', 1);
  expect(await addTask('a', '+0')).toBe('s');
  expect(await send('ZSCORE', keys.due, 'a')).toBe(String(now));
  expect(await send('EXISTS', keys.stream)).toBe(0);
});

test('a repeated call gets the first answer although the task has ended since', async () => {
  const call = { lane: 'lane', call: 3, items: [item, { ...item, id: 'b', when: '+7' }] };
  const first = await run(add, call);
  await send('HDEL', keys.tasks, 'a');
  const before = await dump();
  expect(await run(add, { ...call, nowMs: now + 60_000 })).toEqual(first);
  expect(await dump()).toEqual(before);
  expect(await run(add, { ...call, call: 2 })).toEqual({ status: 'late_call' });
  expect(await dump()).toEqual(before);
  expect(await run(add, { ...call, call: 4 })).toEqual({ status: 'ok', marks: 'rd' });
});

test('only a task that became the earliest wakes the leader', async () => {
  const subscribers = async (when: string, id: string): Promise<unknown> => {
    await send('CONFIG', 'RESETSTAT');
    await addTask(id, when);
    return /cmdstat_publish:calls=(\d+)/.exec(String(await send('INFO', 'commandstats')))?.[1] ?? '0';
  };
  expect(await subscribers('+1000', 'a')).toBe('1');
  expect(await subscribers('+2000', 'b')).toBe('0');
  expect(await subscribers('+1000', 'c')).toBe('0');
  expect(await subscribers('+999', 'd')).toBe('1');
  expect(await subscribers('+0', 'e')).toBe('0');
});

test('an entry that outlived its record does not start the next task of that id early', async () => {
  await addTask('a', '+0');
  await send('HDEL', keys.tasks, 'a'); // by hand
  expect(await addTask('a', '+1000')).toBe('s');
  expect(await send('HEXISTS', keys.live, 'a')).toBe(0);
  await send('HSET', keys.epoch, 'term', 7, 'token', 'seven');
  expect(await promoted({ nowMs: now + 1000 })).toBe(1);
});

test('what an id that was added by nobody leaves behind does not keep it from being added', async () => {
  await send('ZADD', keys.due, now + 5, 'a');
  expect(await addTask('a', '+0')).toBe('r');
  await expectStatus(run(add, { items: [] }), 'ok');
});
