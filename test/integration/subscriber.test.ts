import { createClient } from 'redis';
import { expect, test } from 'vitest';
import { listenTo } from '../support/ear.js';
import { Proxy } from '../support/proxy.js';
import { linkTo, startRedis, until, useRedis } from '../support/redis.js';
import { VirtualClock } from '../support/virtual-clock.js';

const redis = useRedis();

test('hears its channels, in order, once it is connected', async () => {
  const { subscriber, heard, events } = listenTo(redis().connection);
  expect(subscriber.isUp).toBe(false);
  subscriber.start();
  subscriber.start();
  await events.next('connected');
  const link = linkTo(redis().connection);
  const counts = ['one', 'two', 'three', 'one'].map((channel, n) => link.send(['PUBLISH', channel, `message ${n}`]));
  expect(await Promise.all(counts)).toEqual([1, 1, 0, 1]);
  await until(() => heard.length === 3, 'all came');
  expect(heard).toEqual(['one: message 0', 'two: message 1', 'one: message 3']);
});

test('subscribes anew after Redis was killed and started again', async () => {
  const server = await startRedis();
  const { subscriber, heard, events } = listenTo(server.connection);
  subscriber.start();
  for (let life = 1; life <= 3; life += 1) {
    await events.next('connected', life - 1);
    expect(await linkTo(server.connection).send(['PUBLISH', 'two', `life ${life}`])).toBe(1);
    await until(() => heard.length === life, 'it came');
    await server.kill('SIGKILL');
    await events.next('lost', life - 1);
    await server.restart();
  }
  expect(heard).toEqual(['two: life 1', 'two: life 2', 'two: life 3']);
});

test('starts before Redis does', async () => {
  const server = await startRedis();
  await server.kill('SIGKILL');
  const { subscriber, events } = listenTo(server.connection);
  subscriber.start();
  await events.next('connect_failed', 1);
  await server.restart();
  await events.next('connected');
});

test('finds out by itself that a silent network took its connection', async () => {
  const clock = new VirtualClock();
  const proxy = await Proxy.before(redis());
  const { subscriber, events } = listenTo(proxy.url, { clock });
  subscriber.start();
  await events.next('connected');
  const asked = await pings();
  await clock.advance(5_000);
  await until(async () => (await pings()) > asked, 'it asks');
  const before = proxy.replyBytes;
  await until(() => proxy.replyBytes >= before, 'it is answered');
  await clock.advance(0);
  proxy.blackHole();
  await clock.advance(5_000);
  await clock.advance(2_000);
  expect((await events.next('lost')).error.message).toMatch(/^PING: no answer/);
});

async function pings(): Promise<number> {
  const stats = String(await linkTo(redis().connection).send(['INFO', 'commandstats']));
  return Number(/cmdstat_ping:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

test('goes on when its listener throws, and tells of it', async () => {
  const heard: string[] = [];
  const { subscriber, events } = listenTo(redis().connection, {
    onMessage: (_channel, message) => {
      heard.push(message);
      if (message === 'bad') throw new Error('a fault');
    },
  });
  subscriber.start();
  await events.next('connected');
  const link = linkTo(redis().connection);
  await Promise.all(['bad', 'good'].map((message) => link.send(['PUBLISH', 'one', message])));
  await until(() => heard.length === 2, 'both came');
  expect(await events.next('handler_failed')).toMatchObject({ channel: 'one', error: { message: 'a fault' } });
  expect([heard, subscriber.life]).toEqual([['bad', 'good'], 1]);
});

test('can be stopped by its own listener, and hands over nothing more', async () => {
  const heard: string[] = [];
  const { subscriber, events } = listenTo(redis().connection, {
    onMessage: (_channel, message) => {
      heard.push(message);
      void subscriber.stop();
    },
  });
  subscriber.start();
  await events.next('connected');
  const link = linkTo(redis().connection);
  await link.send(['MULTI']); // so that all messages come in one piece
  for (let n = 0; n < 100; n += 1) await link.send(['PUBLISH', 'one', String(n)]);
  await link.send(['EXEC']);
  await until(() => heard.length > 0, 'the first came');
  await subscriber.stop();
  await until(async () => ((await link.send(['PUBSUB', 'NUMSUB', 'one'])) as [string, number])[1] === 0, 'it is gone');
  expect(heard).toEqual(['0']);
  subscriber.start();
  expect(subscriber.isUp).toBe(false);
});

test('works with the clients of a function', async () => {
  const { subscriber, heard, events } = listenTo(() => createClient({ socket: { path: redis().socketPath ?? '' } }));
  subscriber.start();
  await events.next('connected');
  const link = linkTo(redis().connection);
  await link.send(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
  await events.next('connected', 1);
  await link.send(['PUBLISH', 'one', 'again']);
  await until(() => heard.length === 1, 'it came');
});

test('needs a channel and a connection that can be one', () => {
  const refused = expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error;
  expect(() => listenTo(redis().connection, { channels: [] })).toThrow(refused);
  expect(() => listenTo('nonsense')).toThrow(refused);
});
