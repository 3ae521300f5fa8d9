import { describe, expect, test } from 'vitest';
import { checkConnection, type ConnectionOption } from '../../src/redis/connection.js';
import { type Sentinelled, sentinelled } from '../../src/redis/sentinel-options.js';
import { targetOf } from '../../src/redis/target.js';

const secret = 'pa55word';
const master = { host: '10.0.0.7', port: 6380 };

/** What is told, and how the master and the first Sentinel are reached. */
function readingOf(option: unknown): [shown: string, master: unknown, sentinel: unknown] {
  const { hosts, shown, serverAt, sentinelAt } = sentinelled(option) as Sentinelled;
  return [shown, serverAt(master), sentinelAt(hosts[0] as Sentinelled['hosts'][number])];
}

describe('a URL', () => {
  test.each<[string, shown: string, master: string, sentinel: string]>([
    ['redis+sentinel://h1/m', 'h1:26379/m', 'redis://10.0.0.7:6380', 'redis://h1:26379'],
    ['redis+sentinel://h1:1,h2,[::1]:3/m/', 'h1:1,h2:26379,[::1]:3/m', 'redis://10.0.0.7:6380/', 'redis://h1:1'],
    [
      `redis+sentinel://me:${secret}@h1:1,h2:2/my-master.1/4`,
      'h1:1,h2:2/my-master.1/4',
      `redis://me:${secret}@10.0.0.7:6380/4`,
      'redis://h1:1',
    ],
    [`rediss+sentinel://:${secret}@h1:1/m/0`, 'h1:1/m/0', `rediss://:${secret}@10.0.0.7:6380/0`, 'rediss://h1:1'],
  ])('%s', (url, ...reading) => {
    expect(readingOf(url)).toEqual(reading);
    expect(targetOf(url).shown).toBe(reading[0]);
  });
});

describe('options', () => {
  const socket = { tls: true, connectTimeout: 300 } as const;
  test.each<[string, ConnectionOption, shown: string, master: unknown, sentinel: unknown]>([
    [
      'hosts of each form',
      { sentinels: ['h1', 'h2:2', { host: '::1' }, { host: 'h4', port: 4 }], master: 'm' },
      'h1:26379,h2:2,[::1]:26379,h4:4/m',
      { socket: master },
      { socket: { host: 'h1', port: 26_379 } },
    ],
    [
      'what is for the master, for the Sentinels, and for both',
      {
        sentinels: ['h1:1'],
        master: 'm',
        username: 'me',
        password: secret,
        database: 3,
        name: 'app',
        sentinelUsername: 'watcher',
        sentinelPassword: 'other',
        socket,
      },
      'h1:1/m/3',
      { username: 'me', password: secret, database: 3, name: 'app', socket: { ...socket, ...master } },
      { username: 'watcher', password: 'other', socket: { ...socket, host: 'h1', port: 1 } },
    ],
  ])('%s', (_what, option, ...reading) => {
    expect(readingOf(option)).toEqual(reading);
    expect(targetOf(option).shown).toBe(reading[0]);
  });
});

test('other connections go by no Sentinels', () => {
  const others = ['redis://h1/0', 'unix:///run/redis.sock', 'nonsense', {}, { url: 'redis://h1' }, null, 7];
  expect(others.map(sentinelled)).toEqual(others.map(() => undefined));
});

describe('refused at the door, without the password', () => {
  test.each<[unknown, says: RegExp]>([
    ['redis+sentinel://', /host 1 of the list/],
    ['redis+sentinel:///m', /host 1 of the list/],
    [`redis+sentinel://:${secret}@/m`, /host 1 of the list/],
    [`redis+sentinel://:${secret}@h1,,h2/m`, /host 2 of the list/],
    [`redis+sentinel://:${secret}@h1:99999/m`, /host 1 of the list/],
    [`redis+sentinel://:${secret}@h1 ,h2/m`, /host 1 of the list/],
    [`redis+sentinel://:${secret},h2/m`, /host 1 of the list/],
    [`redis+sentinel://:${secret}@h1`, /must name the master/],
    [`redis+sentinel://:${secret}@h1/`, /must name the master/],
    [`redis+sentinel://:${secret}@h1/my%20master`, /must name the master/],
    [`redis+sentinel://:${secret}@h1/m/first`, /not a valid Sentinel URL/],
    [`redis+sentinel://:${secret}@h1/m?db=1`, /not a valid Sentinel URL/],
    [`redis+sentinel://:${secret}@h1/m#x`, /not a valid Sentinel URL/],
    [`redis+sentinel://:${secret}@x@h1/m`, /not a valid Sentinel URL/],
    [`redis+sentinel://:${secret}/x@h1/m`, /not a valid Sentinel URL/],
    [`redis+sentinel:h1/${secret}`, /not a valid Sentinel URL/],
    [`redis+sentinel://:${secret}%zz@h1/m`, /not percent-encoded/],
    [`redis-sentinel://:${secret}@h1/m`, /must begin with .* redis\+sentinel/],
    [{ master: 'm' }, /a list of at least one/],
    [{ sentinels: [], master: 'm' }, /a list of at least one/],
    [{ sentinels: 'h1', master: 'm' }, /a list of at least one/],
    [{ sentinels: ['h1', 7], master: 'm' }, /is not host, host:port/],
    [{ sentinels: [null], master: 'm' }, /is not host, host:port/],
    [{ sentinels: [{ host: 'h1', port: 'x' }], master: 'm' }, /is not host, host:port/],
    [{ sentinels: [`:${secret}@h1`], master: 'm' }, /is not host, host:port/],
    [{ sentinels: ['h1'], password: secret }, /must name the master/],
    [{ sentinels: ['h1'], master: 'a b' }, /must name the master/],
    [{ sentinels: ['h1'], master: 'm', url: `redis://:${secret}@h1` }, /url must not stand beside sentinels/],
    [{ sentinels: ['h1'], master: 'm', socket: { host: 'h2' } }, /an object without host and path/],
    [{ sentinels: ['h1'], master: 'm', socket: 'h1:1' }, /an object without host and path/],
    [{ sentinels: ['h1'], master: 'm', database: -1 }, /database must be a whole number/],
    [{ sentinels: ['h1'], master: 'm', password: 7 }, /password must be a string/],
    [{ sentinels: ['h1'], master: 'm', sentinelPassword: 7 }, /password must be a string/],
  ])('%j', (option, says) => {
    const check = (): void => checkConnection(option as ConnectionOption);
    expect(check).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error);
    expect(check).toThrow(says);
    expect(check).not.toThrow(secret);
  });
});
