import { describe, expect, test } from 'vitest';
import { Leader, Queue, Worker } from '../../src/index.js';
import { useLab } from '../support/lab.js';
import { codeOf } from '../support/redis.js';

/** Bad input is refused with a clear error before anything is written. Each row: what, and what the message says. */
const lab = useLab();

/** Refused with this code, in words that say where, and Redis is as empty as before. */
async function refused(call: () => Promise<unknown>, code: string, says: RegExp): Promise<void> {
  const error: unknown = await call().then(
    (value) => new Error(`not refused: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ code, message: expect.stringMatching(says) as string });
  await expect(lab().send('DBSIZE')).resolves.toBe(0);
}

class Money {
  readonly cents = 5;
}
const nested = { here: [1, { wrong: undefined }] };
const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

describe('a payload that JSON would change is refused', () => {
  const table: [string, unknown, RegExp][] = [
    ['NaN', Number.NaN, /^payload is NaN/],
    ['infinity inside', { a: [Number.POSITIVE_INFINITY] }, /^payload\.a\[0\] is Infinity/],
    ['a BigInt', 1n, /BigInt/],
    ['a Map', new Map(), /Map/],
    ['a Date', { at: new Date(0) }, /^payload\.at is a Date/],
    ['undefined inside', nested, /^payload\.here\[1\]\.wrong is undefined/],
    ['a function', () => 0, /function/],
    ['a symbol', Symbol('s'), /symbol/],
    ['a cycle', cycle, /cycle/],
    ['a class', new Money(), /instance of Money/],
    ['more than 1 MiB', 'x'.repeat(1024 * 1024), /at most 1048576 bytes/],
  ];
  test.each(table)('%s', async (_what, payload, says) => {
    await refused(() => lab().queue.add('job', payload), 'ERR_INVALID_PAYLOAD', says);
  });

  test('undefined in addMany and in update', async () => {
    const { queue } = lab();
    await refused(() => queue.addMany([{ name: 'job', payload: undefined }]), 'ERR_INVALID_PAYLOAD', /undefined/);
    await refused(() => queue.update('a', { payload: undefined }), 'ERR_INVALID_PAYLOAD', /undefined/);
  });
});

describe('a bad task option is refused', () => {
  const table: [string, Record<string, unknown>, RegExp][] = [
    ['an empty id', { id: '' }, /^id must not be empty/],
    ['a long id', { id: 'ä'.repeat(129) }, /^id must be at most 256 bytes, got 258/],
    ['a number as id', { id: 7 }, /^id must be a string, got number/],
    ['a control character', { id: 'a\nb' }, /^id must not contain control characters/],
    ['half a character', { id: 'a\ud800' }, /^id must be well-formed/],
    ['both times', { in: 1, at: 1 }, /either in or at/],
    ['a duration without unit', { in: '90' }, /^in needs a unit/],
    ['a negative duration', { in: -1 }, /^in must be from/],
    ['a time without offset', { at: '2027-01-02T03:04' }, /^at must say its offset/],
    ['a time in seconds', { at: 1_798_859_040 }, /^at looks like seconds since 1970/],
    ['an end in seconds', { expiresAt: 1_798_859_040 }, /^expiresAt looks like seconds since 1970/],
    ['an invalid Date', { at: new Date(Number.NaN) }, /^at must be a valid Date/],
    ['no attempt', { maxAttempts: 0 }, /^maxAttempts must be a whole number from 1/],
    ['half an attempt', { maxAttempts: 1.5 }, /^maxAttempts/],
    ['a backoff that is a function', { backoff: () => 1 }, /^backoff must be an object/],
    ['a backoff of no type', { backoff: { delay: 1 } }, /^backoff\.type/],
    ['a timeout of 0', { timeout: 0 }, /^timeout must be from 1ms/],
    ['a timeout that no timer can wait for', { timeout: '25d' }, /^timeout must be from/],
    ['both ends', { expiresIn: 1, expiresAt: 1 }, /expiresIn or expiresAt/],
    ['an end before the due time', { at: '2031-01-01T00:00Z', expiresAt: '2030-01-01T00:00Z' }, /later than at/],
    ['an unknown option', { delay: 5 }, /^unknown task option "delay"/],
    ['a second name', { name: 'other' }, /^unknown task option "name"/],
    ['a second payload', { payload: 1 }, /^unknown task option "payload"/],
  ];
  test.each(table)('%s', async (_what, options, says) => {
    await refused(() => lab().queue.add('job', 1, options), 'ERR_INVALID_ARGUMENT', says);
  });

  test.each([[undefined], [''], ['x'.repeat(129)], ['a\u0000']])('the name %j', async (name) => {
    await refused(() => lab().queue.add(name as string), 'ERR_INVALID_ARGUMENT', /^name must/);
  });

  test('options that are no object', async () => {
    await refused(
      () => lab().queue.add('job', 1, 'now' as never),
      'ERR_INVALID_ARGUMENT',
      /^options must be an object/,
    );
  });
});

test('one bad item refuses the whole call, and the message says which', async () => {
  const { queue } = lab();
  const good = { name: 'job' };
  await refused(
    () => queue.addMany([good, { name: 'job', in: 'soon' }, good]),
    'ERR_INVALID_ARGUMENT',
    /^task 2 of 3: in/,
  );
  await refused(
    () => queue.addMany([good, { name: 'job', payload: 1n }]),
    'ERR_INVALID_PAYLOAD',
    /^task 2 of 2: payload/,
  );
  await refused(() => queue.addMany('job' as never), 'ERR_INVALID_ARGUMENT', /array/);
  await refused(() => queue.addMany([null as never]), 'ERR_INVALID_ARGUMENT', /object/);
});

test('limits can be set, and are kept', async () => {
  const queue = lab().newQueue({ limits: { payloadBytesMax: 10, idBytesMax: 3, nameBytesMax: 3 } });
  await refused(() => queue.add('job', '123456789'), 'ERR_INVALID_PAYLOAD', /at most 10 bytes/);
  await refused(() => queue.add('jobs'), 'ERR_INVALID_ARGUMENT', /^name must be at most 3/);
  await refused(() => queue.add('job', 1, { id: 'long' }), 'ERR_INVALID_ARGUMENT', /^id must be at most 3/);
  await expect(queue.add('job', '12345678', { id: 'abc' })).resolves.toMatchObject({ status: 'ready' });
});

describe('what an operator asks for is checked too', () => {
  const table: [string, (queue: Queue) => Promise<unknown>, RegExp][] = [
    ['a state that is none', (queue) => queue.list({ state: 'done' as never }), /^state must be one of/],
    ['dead ones in list', (queue) => queue.list({ state: 'dead' }), /queue\.dead\.list/],
    ['a state alone', (queue) => queue.list('ready' as never), /^list takes an object such as { state: "ready" }/],
    ['a limit of 0', (queue) => queue.list({ limit: 0 }), /^limit/],
    ['a page that no page gave', (queue) => queue.list({ state: 'ready', after: 'x' }), /^after/],
    ['a page that begins at no time', (queue) => queue.list({ after: '0/soon a' }), /^after/],
    ['a page of another state', (queue) => queue.list({ state: 'cancelled', after: '5 a' }), /^after/],
    ['an unknown option of list', (queue) => queue.list({ states: 'ready' } as never), /^unknown option "states"/],
    [
      'an unknown option of stats',
      (queue) => queue.stats({ all: true } as never),
      /^unknown option "all": expected byPar/,
    ],
    ['an unknown option of letters', (queue) => queue.dead.list({ state: 'dead' } as never), /^unknown option "state"/],
    ['a key alone', (queue) => queue.get('a', 'k' as never), /^options must be an object, got "k"/],
    ['a key of a letter alone', (queue) => queue.dead.get('a', 'k' as never), /^options must be an object/],
    [
      'a key beside the time',
      (queue) => queue.reschedule('a', { in: 1, key: 'k' } as never),
      /^unknown option "key": expected one of in, at/,
    ],
    ['a change of more', (queue) => queue.update('a', { payload: 1, name: 'x' } as never), /^unknown option "name"/],
    ['a page of letters', (queue) => queue.dead.list({ after: 'x' }), /^after/],
    ['a limit of letters', (queue) => queue.dead.list({ limit: 1_001 }), /^limit/],
    ['an empty id', (queue) => queue.get(''), /^id must not be empty/],
    ['no id', (queue) => queue.cancel(undefined as never), /^id must be a string/],
    ['a number for a letter', (queue) => queue.dead.get(7 as never), /string/],
    ['no time', (queue) => queue.reschedule('a', {} as never), /^reschedule needs/],
    ['a time that is null', (queue) => queue.reschedule('a', { at: null as never }), /^at must be/],
    ['two times', (queue) => queue.reschedule('a', { in: 1, at: 1 }), /either in or at/],
    ['no change', (queue) => queue.update('a', undefined as never), /^update needs/],
  ];
  test.each(table)('%s', async (_what, call, says) => {
    await refused(() => call(lab().queue), 'ERR_INVALID_ARGUMENT', says);
  });
});

describe('what is made with bad options is refused when it is made', () => {
  const job = { job: () => 0 };
  const table: [string, () => unknown, RegExp][] = [
    ['a queue without a name', () => new Queue(''), /queue name/],
    ['a queue with braces', () => new Queue('a{b}'), /queue name/],
    ['an unknown option', () => new Queue('q', { retries: 1 } as never), /^unknown option "retries"/],
    ['an unknown limit', () => new Queue('q', { limits: { payload: 1 } as never }), /^unknown limit "payload"/],
    ['a prefix with a space', () => new Queue('q', { prefix: 'a b' }), /^prefix/],
    ['an observer that is none', () => new Queue('q', { observe: 1 as never }), /^observe/],
    ['a URL that is none', () => new Queue('q', { connection: 'localhost' }), /^connection/],
    ['a worker at a URL that is none', () => new Worker('q', job, { connection: 'http://x' }), /^connection/],
    ['a leader at a URL that is none', () => new Leader('q', { connection: 'http://x' }), /^connection/],
    ['a lock node that is none', () => new Leader('q', { lockNodes: ['http://x'] }), /^connection/],
    ['two lock nodes', () => new Leader('q', { lockNodes: ['redis://a', 'redis://b'] }), /odd number/],
    ['a worker without handlers', () => new Worker('q', {}), /at least one handler/],
    ['a handler that is none', () => new Worker('q', { job: 1 as never }), /the handler of "job"/],
    [
      'an unknown handler option',
      () => new Worker('q', { job: { handler: () => 0, retries: 1 } as never }),
      /"retries"/,
    ],
    [
      'a schema that is none',
      () => new Worker('q', { job: { handler: () => 0, schema: {} as never } }),
      /Standard Schema/,
    ],
    ['a lease of 30 ms', () => new Worker('q', job, { lease: 30 }), /^lease must be from 1s to 1d, got 30$/],
    ['a lock of 499 ms', () => new Worker('q', job, { lockTtl: 499 }), /^lockTtl must be from 500ms/],
    ['no slot', () => new Worker('q', job, { concurrency: 0 }), /^concurrency/],
    ['a third way to lead', () => new Worker('q', job, { leader: 'maybe' as never }), /^leader must be/],
    ['an id with a space', () => new Worker('q', job, { id: 'a b' }), /^id must be/],
    ['no delivery', () => new Worker('q', job, { maxDeliveries: 0 }), /^maxDeliveries/],
    ['a bad backoff', () => new Worker('q', job, { backoff: { type: 'linear' } as never }), /^backoff\.type/],
  ];
  test.each(table)('%s', (_what, make, says) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(says) as string }),
    );
  });

  test('nothing is connected in a constructor', async () => {
    const { server } = lab();
    const connections = async (): Promise<number> => String(await lab().send('CLIENT', 'LIST')).split('\n').length;
    const before = await connections();
    new Queue('q', { connection: server.connection });
    new Worker('q', job, { connection: server.connection });
    new Leader('q', { connection: server.connection });
    await expect(connections()).resolves.toBe(before);
  });
});

test('a queue of another format is refused, and nothing is written there', async () => {
  const { queue, keys } = lab();
  await lab().send('HSET', keys.meta, 'layout', '2/4');
  await expect(codeOf(queue.add('job'))).resolves.toBe('ERR_OTHER_LAYOUT');
  await expect(codeOf(queue.pause())).resolves.toBe('ERR_OTHER_LAYOUT');
  await expect(lab().send('EXISTS', keys.tasks, keys.stream)).resolves.toBe(0);
});
