import { describe, expect, test } from 'vitest';
import { Queue, Worker } from '../../src/index.js';
import { clusterAddress } from '../../src/redis/cluster/cluster-options.js';
import { checkConnection } from '../../src/redis/connection.js';

const secret = 'pa55word';

test.each<[unknown, readonly string[], unknown]>([
  ['redis+cluster://a', ['a:6379'], 'redis://a:6379'],
  ['redis+cluster://a:7000,b,[::1]:7002/', ['a:7000', 'b:6379', '[::1]:7002'], 'redis://a:7000'],
  [`rediss+cluster://me:${secret}@a:7000,b:7001/0`, ['a:7000', 'b:7001'], `rediss://me:${secret}@a:7000`],
  [{ cluster: ['a', 'b:7000'] }, ['a:6379', 'b:7000'], { socket: { host: 'a', port: 6379 } }],
  [
    { cluster: [{ host: '::1', port: 7000 }], password: secret, socket: { tls: true } },
    ['[::1]:7000'],
    { password: secret, socket: { tls: true, host: '::1', port: 7000 } },
  ],
])('%j names the nodes %j', (option, seeds, server) => {
  const address = clusterAddress(option);
  expect(address?.seeds).toEqual(seeds);
  expect(address?.shown).toBe(seeds.join(','));
  expect(address?.serverAt(seeds[0] ?? '')).toEqual(server);
});

test('a node is reached where the address map says', () => {
  const nodeAddressMap = { '10.0.0.1:6379': { host: 'outside', port: 16_379 }, '::1:6379': { host: 'v6', port: 1 } };
  const address = clusterAddress({ cluster: ['outside:16379'], nodeAddressMap });
  expect(address?.serverAt('10.0.0.1:6379')).toEqual({ socket: { host: 'outside', port: 16_379 } });
  expect(address?.serverAt('[::1]:6379')).toEqual({ socket: { host: 'v6', port: 1 } });
  expect(address?.serverAt('10.0.0.2:6379')).toEqual({ socket: { host: '10.0.0.2', port: 6379 } });
});

test.each<[unknown]>([['redis://a'], [{}], [{ socket: { port: 1 } }], [() => {}], [undefined]])(
  '%j is no cluster',
  (option) => {
    expect(clusterAddress(option)).toBeUndefined();
  },
);

describe('refused at the door, without the password', () => {
  test.each<[unknown]>([
    ['redis+cluster://'],
    [`redis+cluster://:${secret}@`],
    [`redis+cluster://:${secret}/x@a`],
    [`redis+cluster://:${secret}#x@a`],
    [`redis+cluster://:${secret}@a@b`],
    [`redis+cluster://:${secret}%zz@a`],
    [`redis+cluster://:${secret}@a/1`],
    [`redis+cluster://:${secret}@a?db=0`],
    [`redis+cluster://:${secret}@a:70000`],
    [`redis+cluster://:${secret}@a,,b`],
    [{ cluster: [] }],
    [{ cluster: 'a:7000' }],
    [{ cluster: [7000] }],
    [{ cluster: ['a,b'] }],
    [{ cluster: ['a'], url: `redis://:${secret}@a` }],
    [{ cluster: ['a'], database: 1 }],
    [{ cluster: ['a'], password: 12345 }],
    [{ cluster: ['a'], nodeAddressMap: { a: 'b c' } }],
  ])('%#', (connection) => {
    const options = { connection: connection as string };
    for (const make of [() => new Queue('q', options), () => new Worker('q', {}, options)]) {
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error);
      expect(make).not.toThrow(secret);
    }
  });
});

test.each<[unknown]>([['redis+cluster://a'], [{ cluster: ['a'] }]])(
  '%j is refused where one server is needed, as for a vote',
  (node) => {
    expect(() => checkConnection(node as string)).toThrow(/where one server is needed/);
    expect(() => new Worker('q', {}, { lockNodes: [node as string] })).toThrow(/where one server is needed/);
  },
);
