import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BugError, DuestreamError } from '../../src/errors.js';
import type { Reply } from '../../src/redis/reply.js';
import { type Caller, runScript, type Script } from '../../src/redis/script.js';
import { bindingsOf, everyType } from '../support/bindings.js';

interface EveryTypeArgs {
  which: string;
  nowMs: number;
  items: readonly { id: string; sizeMax: number }[];
}
type EveryTypeReply = { status: 'ok'; nowMs: number } | { status: 'empty' | 'texts' | 'plain' };

describe('a script on Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duestream-script-'));
  const client = createClient({ socket: { path: join(folder, 'redis.sock') } });
  const sent: string[] = [];
  const caller: Caller = {
    send: (args) => {
      sent.push(args[0] as string);
      return client.sendCommand<Reply>([...args]);
    },
  };
  const keys = { meta: 'meta', dueBox: 'box', another: 'not asked for' };
  const items = [
    { id: 'a', sizeMax: 1 },
    { id: 'b', sizeMax: 2 },
  ];
  let server: ChildProcess;
  let script: Script<{ meta: string; dueBox: string }, EveryTypeArgs, EveryTypeReply>;

  beforeAll(async () => {
    const config = ['--port', '0', '--unixsocket', join(folder, 'redis.sock'), '--save', '', '--dir', folder];
    server = spawn('redis-server', config, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: server.stdout as NodeJS.ReadableStream })) {
      if (line.includes('ready to accept connections') || line.includes('Ready to accept connections')) break;
    }
    await client.connect();
    ({ everyType: script } = await bindingsOf<{ everyType: typeof script }>(folder, { 'every-type': everyType }));
  });

  beforeEach(async () => {
    await client.sendCommand(['FLUSHALL']);
    await client.sendCommand(['SCRIPT', 'FLUSH']);
    sent.length = 0;
  });

  afterAll(async () => {
    if (client.isOpen) await client.disconnect();
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test('every type of field comes back as the header says', async () => {
    const reply = await runScript(caller, script, { keys, args: { which: 'all', nowMs: 1_700_000_000_000, items } });
    expect(reply).toEqual({
      status: 'ok',
      nowMs: 1_700_000_000_000,
      word: '`tick` ${brace} back\\slash',
      none: null,
      noInt: null,
      ids: ['a', 'b'],
      sizes: [1, 2],
      groups: [
        { id: 'a', sizeMax: 1, hint: null },
        { id: 'b', sizeMax: 2, hint: 'b' },
      ],
    });
  });

  test('lists come back empty, digits as numbers, numbers as text, a nil at the end as null', async () => {
    const args = { nowMs: 0, items: [] };
    expect(await runScript(caller, script, { keys, args: { ...args, which: 'empty' } })).toEqual({
      status: 'empty',
      ids: [],
      sizes: [],
      groups: [],
    });
    expect(await runScript(caller, script, { keys, args: { ...args, which: 'texts' } })).toEqual({
      status: 'texts',
      nowMs: -1_700_000_000_000,
      word: '42',
      late: null,
    });
    expect(await runScript(caller, script, { keys, args: { ...args, which: 'plain' } })).toEqual({ status: 'plain' });
  });

  test('a server that does not know the script gets its text, once', async () => {
    const call = { keys, args: { which: 'plain', nowMs: 0, items: [] } };
    await runScript(caller, script, call);
    await runScript(caller, script, call);
    expect(sent).toEqual(['EVALSHA', 'EVAL', 'EVALSHA']);
    await client.sendCommand(['SCRIPT', 'FLUSH']);
    await runScript(caller, script, call);
    expect(sent).toEqual(['EVALSHA', 'EVAL', 'EVALSHA', 'EVALSHA', 'EVAL']);
  });

  test('any other error is thrown as it came, and nothing is sent again', async () => {
    await client.sendCommand(['SCRIPT', 'LOAD', script.source]);
    const call = { keys, args: { which: 'broken', nowMs: 0, items: [] } };
    await expect(runScript(caller, script, call)).rejects.toThrow(/^WRONGTYPE/);
    expect(sent).toEqual(['EVALSHA']);
  });

  test('the embedded text has the sha1 it claims, and does what the commented file does', async () => {
    expect(await client.sendCommand(['SCRIPT', 'LOAD', script.source])).toBe(script.sha1);
    const [, , ...rest] = script.words(keys, { which: 'all', nowMs: 5, items });
    expect(await client.sendCommand(['EVAL', everyType, ...rest])).toEqual(
      await client.sendCommand(['EVALSHA', script.sha1, ...rest]),
    );
  });

  test('the deadline goes with both tries', async () => {
    const deadlines: unknown[] = [];
    const timed: Caller = {
      send: (args, options) => {
        deadlines.push(options);
        return caller.send(args);
      },
    };
    const call = { keys, args: { which: 'plain', nowMs: 0, items: [] } };
    await runScript(timed, script, { ...call, timeoutMs: 70 });
    await runScript(timed, script, call);
    const op = script.name;
    expect(deadlines).toEqual([{ op, timeoutMs: 70 }, { op, timeoutMs: 70 }, { op }]);
  });
});

/** A script that is never run, for what is made of its header. */
const storeText = `-- store: keep some.
--
-- KEYS  1 meta   hash
--       2 box    hash
-- ARGV  1 layout string
--       2 limit  int
-- ITEMS id string, size int
-- REPLY ok {kept int, hint string?, pairs [id string, size int]}
--       full
local meta, box = KEYS[1], KEYS[2]
local layout, limit = ARGV[1], tonumber(ARGV[2])
if limit == 0 then return {'full'} end
return {'ok', redis.call('HLEN', meta), redis.call('HGET', box, layout), {ARGV[3], ARGV[4]}}
`;
const listsText = `-- lists: tell two.
--
-- REPLY ok {counts int[], names string[]}
return {'ok', {}, {}}
`;
const bareText = `-- bare: nothing at all.
--
-- REPLY ok
return {'ok'}
`;
const bindings = mkdtempSync(join(tmpdir(), 'duestream-bindings-'));
let store: Script<
  { meta: string; box: string },
  { layout: string; limit: number; items: readonly { id: string; size: number }[] },
  { status: 'ok'; kept: number; hint: string | null; pairs: { id: string; size: number }[] } | { status: 'full' }
>;

beforeAll(async () => {
  ({ store } = await bindingsOf<{ store: typeof store }>(bindings, { store: storeText }));
});
afterAll(() => rmSync(bindings, { recursive: true, force: true }));

const keys = { box: 'q:box', meta: 'q:meta' };

describe('a call', () => {
  test('is sent in the order of the header, whatever the order in the object, items last', () => {
    const items = [
      { size: 3, id: 'a' },
      { id: 'b', size: 4 },
    ];
    const more = { ...keys, due: 'q:due' };
    const words = store.words(more, { items, limit: 9, layout: '1/1' });
    expect(words.join(' ')).toBe(`EVALSHA ${store.sha1} 2 q:meta q:box 1/1 9 a 3 b 4`);
  });

  test.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 60, undefined, null])('never carries %s', (limit) => {
    const args = { layout: '1/1', limit: limit as number, items: [] };
    expect(() => store.words(keys, args)).toThrow(BugError);
    expect(() => store.words(keys, args)).toThrow(/^store: limit must be a string or an integer, got /);
  });

  test('with a missing key or a misspelt argument does not compile', () => {
    const args = { layout: '1/1', limit: 1, items: [] };
    // @ts-expect-error: box is missing
    expect(() => store.words({ meta: 'q:meta' }, args)).toThrow(BugError);
    // @ts-expect-error: limits is no argument of this script
    expect(() => store.words(keys, { layout: '1/1', limits: 1, items: [] })).toThrow(BugError);
  });
});

describe('a reply that does not fit the header is our own bug', () => {
  const rows: { what: string; reply: Reply; message: string }[] = [
    { what: 'no array', reply: 'OK', message: 'store: expected {ok | full, …}, got "OK"' },
    { what: 'nothing', reply: null, message: 'store: expected {ok | full, …}, got null' },
    { what: 'an unknown status', reply: ['gone'], message: 'store: expected {ok | full, …}, got ["gone"]' },
    { what: 'an inherited name', reply: ['toString'], message: 'store: expected {ok | full, …}, got ["toString"]' },
    { what: 'one field too many', reply: ['full', 1], message: 'store: full has 0 fields, got 1' },
  ];
  test.each(rows)('$what', ({ reply, message }) => {
    expect(() => store.read(reply)).toThrow(new BugError(message));
    expect(() => store.read(reply)).toThrow(BugError);
  });
});

describe('a field that does not fit the header may be what others wrote: an error that ends no loop', () => {
  const rows: { what: string; reply: Reply; message: string }[] = [
    { what: 'a missing field', reply: ['ok'], message: 'store: ok.kept must be int, got nothing' },
    { what: 'no digits', reply: ['ok', '1e3', null, []], message: 'store: ok.kept must be int, got another string' },
    { what: 'an empty text', reply: ['ok', '', null, []], message: 'store: ok.kept must be int, got another string' },
    {
      what: 'more digits than a number holds',
      reply: ['ok', '9007199254740993', null, []],
      message: 'store: ok.kept must be int, got another string',
    },
    { what: 'minus nothing', reply: ['ok', '-0', null, []], message: 'store: ok.kept must be int, got another string' },
    {
      what: 'a number that is not safe',
      reply: ['ok', 2 ** 60, null, []],
      message: 'store: ok.kept must be int, got another number',
    },
    {
      what: 'a text for a list',
      reply: ['ok', 1, null, 'a'],
      message: 'store: ok.pairs must be a list, got another string',
    },
    { what: 'a list for a text', reply: ['ok', 1, [], []], message: 'store: ok.hint must be string, got a list' },
    {
      what: 'half a group',
      reply: ['ok', 1, null, ['a', 1, 'b']],
      message: 'store: ok.pairs must be groups of 2, got a list',
    },
    {
      what: 'a null in a group',
      reply: ['ok', 1, null, ['a', null]],
      message: 'store: ok.pairs.size must be int, got nothing',
    },
  ];
  test.each(rows)('$what', ({ reply, message }) => {
    expect(() => store.read(reply)).toThrow(new DuestreamError('ERR_REDIS_REPLY', message));
    expect(() => store.read(reply)).toThrow(expect.objectContaining({ code: 'ERR_REDIS_REPLY' }));
  });
});

test('an element of a list that does not fit is told as one', async () => {
  const { lists } = await bindingsOf<{ lists: Script<never, never, { status: 'ok' }> }>(bindings, { lists: listsText });
  expect(lists.read(['ok', ['1', 2], ['a', 3]])).toEqual({ status: 'ok', counts: [1, 2], names: ['a', '3'] });
  expect(() => lists.read(['ok', ['1', 'x'], []])).toThrow('lists: ok.counts[] must be int, got another string');
  expect(() => lists.read(['ok', [], [null]])).toThrow('lists: ok.names[] must be string, got nothing');
  expect(() => lists.read(['ok', 1, []])).toThrow('lists: ok.counts must be a list, got another number');
});

test('a script without keys and arguments has no words but its own', async () => {
  const { bare } = await bindingsOf<{ bare: Script<object, object, { status: 'ok' }> }>(bindings, { bare: bareText });
  expect(bare.words({}, {})).toEqual(['EVALSHA', bare.sha1, '0']);
  expect(bare.read(['ok'])).toEqual({ status: 'ok' });
});

test('a status tells which fields there are', () => {
  const reply = store.read(['ok', 2, null, ['a', '7']]);
  const pairs = reply.status === 'ok' ? reply.pairs : undefined;
  expect(pairs).toEqual([{ id: 'a', size: 7 }]);
});
