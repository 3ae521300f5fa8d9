import { describe, expect, test } from 'vitest';
import { Proxy } from '../support/proxy.js';
import { codeOf, EventLog, linkTo, startRedis, until, useRedis } from '../support/redis.js';
import { VirtualClock } from '../support/virtual-clock.js';

const redis = useRedis();

describe.each(['requests', 'replies', 'both'] as const)('a network that swallows %s', (direction) => {
  test('costs a command its deadline and no more, and the next one works when it is healed', async () => {
    const proxy = await Proxy.before(redis());
    const events = new EventLog();
    const link = linkTo(proxy.url, { onEvent: events.add });
    await link.connected();
    proxy.blackHole(direction);
    const startedMs = performance.now();
    const all = [link.send(['ECHO', 'a'], { timeoutMs: 300 }), link.send(['ECHO', 'b'])];
    const codes = await Promise.all(all.map(codeOf)); // the second loses its connection with the first
    expect(codes).toEqual(['ERR_OUTCOME_UNKNOWN', 'ERR_OUTCOME_UNKNOWN']);
    expect(performance.now() - startedMs).toBeGreaterThan(290);
    expect(await events.next('timeout')).toEqual({ type: 'timeout', command: 'ECHO', ms: 300 });
    expect(await codeOf(link.send(['ECHO', 'c'], { timeoutMs: 50 }))).toBe('ERR_REDIS_UNREACHABLE');
    proxy.heal();
    expect(await link.send(['ECHO', 'd'], { timeoutMs: 20_000 })).toBe('d');
  });
});

test('a blocked read that a silent network took is ended by its own watchdog', async () => {
  const proxy = await Proxy.before(redis());
  const link = linkTo(proxy.url);
  await link.send(['XGROUP', 'CREATE', 'stream', 'group', '$', 'MKSTREAM']);
  const words = ['XREADGROUP', 'GROUP', 'group', 'me', 'BLOCK', '20', 'STREAMS', 'stream', '>'];
  expect(await link.block(words, 20)).toBeNull();
  proxy.blackHole('replies');
  expect(await codeOf(link.block(words, 20))).toBe('ERR_OUTCOME_UNKNOWN');
  proxy.heal();
  expect(await link.block(words, 20)).toBeNull();
});

describe('an idle link', () => {
  test('finds out by itself that nobody answers any more', async () => {
    const clock = new VirtualClock();
    const proxy = await Proxy.before(redis());
    const events = new EventLog();
    const link = linkTo(proxy.url, { clock, onEvent: events.add });
    await link.connected();
    proxy.blackHole();
    await clock.advance(5_000); // asks
    expect(link.isUp).toBe(true);
    await clock.advance(2_000);
    expect((await events.next('lost')).error.message).toMatch(/^ECHO: no answer/);
  });

  test('is left alone while it answers, and while a read is blocked', async () => {
    const clock = new VirtualClock();
    const proxy = await Proxy.before(redis());
    const link = linkTo(proxy.url, { clock });
    const other = linkTo(redis().connection);
    const echoes = async (): Promise<number> => {
      const stats = String(await other.send(['INFO', 'commandstats']));
      return Number(/cmdstat_echo:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    await link.connected();
    await other.connected();
    await clock.advance(2_000);
    for (let probe = 0; probe < 3; probe += 1) {
      const before = await echoes();
      await clock.advance(3_000);
      await until(async () => (await echoes()) === before + 1, 'it asks');
      await link.send(['TIME']); // its answer comes after that of the probe
      await clock.advance(2_000);
    }
    expect(link.life).toBe(1);
    const read = link.block(['BLPOP', 'never', '60'], 60_000);
    await clock.advance(50_000);
    await until(async () => String(await other.send(['CLIENT', 'LIST'])).includes('cmd=blpop'), 'it is blocked');
    await link.unblock(other);
    expect([await read, link.life]).toEqual([null, 1]);
  });

  test('takes the answer to another question as the end of its connection', async () => {
    const clock = new VirtualClock();
    const events = new EventLog();
    const { createClient } = await import('redis');
    const link = linkTo(
      () => {
        const client = createClient({ socket: { path: redis().socketPath ?? '' } });
        const send = client.sendCommand.bind(client);
        let echoes = 0;
        client.sendCommand = (args: string[]) => {
          if (args[0] === 'ECHO') echoes += 1;
          return echoes === 2 ? send(['ECHO', "somebody else's"]) : send(args);
        };
        return client;
      },
      { clock, onEvent: events.add },
    );
    await link.connected();
    await clock.advance(5_000);
    expect((await events.next('lost')).error.message).toMatch(/mixed up/);
  });
});

test('a process that stood still takes the answers that wait for it, instead of a timeout', async () => {
  const link = linkTo(redis().connection);
  await link.connected();
  const reply = link.send(['ECHO', 'x'], { timeoutMs: 100 });
  await new Promise((resolve) => setImmediate(resolve)); // it is written
  const endMs = performance.now() + 400;
  while (performance.now() < endMs) void 0;
  expect(await reply).toBe('x');
  expect(link.life).toBe(1);
});

test('slow is not dead: a latency below the deadline costs nothing', async () => {
  const proxy = await Proxy.before(redis());
  proxy.delay(30);
  const link = linkTo(proxy.url);
  const replies = await Promise.all(['a', 'b', 'c'].map((word) => link.send(['ECHO', word])));
  expect([...replies, link.life]).toEqual(['a', 'b', 'c', 1]);
});

test('a reset and a port that is closed for a while are got over', async () => {
  const proxy = await Proxy.before(redis());
  const link = linkTo(proxy.url);
  await link.connected();
  proxy.reset();
  await until(() => link.life > 1, 'a new life');
  expect(await link.send(['ECHO', 'a'])).toBe('a');
  const read = codeOf(link.block(['BLPOP', 'never', '60'], 60_000));
  await proxy.close();
  expect(await read).toBe('ERR_OUTCOME_UNKNOWN');
  const waiting = link.send(['ECHO', 'b'], { timeoutMs: 20_000 });
  await proxy.reopen();
  expect(await waiting).toBe('b');
});

test('a server that loads its data is not up yet, and commands wait for it', async () => {
  const slowLoad = ['--key-load-delay', '100', '--loading-process-events-interval-bytes', '1024'];
  const server = await startRedis({ appendonly: 'everysec', args: slowLoad });
  const events = new EventLog();
  const link = linkTo(server.connection, { onEvent: events.add, commandTimeoutMs: 20_000 });
  await link.send(['EVAL', "for i = 1, 10000 do redis.call('SET', 'key' .. i, i) end", '0']);
  await server.kill('SIGTERM');
  await until(() => !link.isUp, 'it noticed');
  const [size] = await Promise.all([link.send(['DBSIZE']), server.restart()]);
  expect(size).toBe(10_000);
  const failures = events.events.filter((event) => event.type === 'connect_failed');
  expect(failures.map(({ error }) => error.message)).toContainEqual(expect.stringMatching(/^LOADING /));
});
