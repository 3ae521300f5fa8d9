import { createClient } from 'redis';
import { describe, expect, test } from 'vitest';
import { Link } from '../../src/redis/link.js';
import { codeOf, EventLog, linkTo, startRedis, until, useRedis } from '../support/redis.js';

const redis = useRedis();
const nowhere = 'redis://127.0.0.1:1';

async function clientsOf(link: Link): Promise<number> {
  return String(await link.send(['CLIENT', 'LIST']))
    .trim()
    .split('\n').length;
}

describe('a link', () => {
  test('connects with the first command, not before', async () => {
    const idle = new Link({ connection: redis().connection, purpose: 'commands' });
    const other = linkTo(redis().connection);
    expect(await clientsOf(other)).toBe(1);
    expect([idle.life, idle.isUp]).toEqual([0, false]);
    expect(await idle.send(['ECHO', 'hello'])).toBe('hello');
    expect([idle.life, idle.isUp]).toEqual([1, true]);
    await idle.stop();
    await until(async () => (await clientsOf(other)) === 1, 'its connection is closed');
  });

  test('brings every kind of reply', async () => {
    const link = linkTo(redis().connection);
    await link.send(['SET', 'text', 'a\r\n"ü']);
    const script = "return {1, 'two', false, {redis.call('GET', KEYS[1])}, redis.status_reply('FINE')}";
    expect(await link.send(['EVAL', script, '1', 'text'])).toEqual([1, 'two', null, ['a\r\n"ü'], 'FINE']);
  });

  test('commands of one tick come back each with its own reply, in order', async () => {
    const link = linkTo(redis().connection);
    const order: string[] = [];
    const words = Array.from({ length: 500 }, (_, n) => `word ${n}`);
    const replies = words.map((word) => link.send(['ECHO', word]).then((reply) => order.push(String(reply))));
    await Promise.all(replies);
    expect(order).toEqual(words);
  });

  test('tells an error reply in the words of Redis, and goes on', async () => {
    const link = linkTo(redis().connection);
    await link.send(['SET', 'text', 'x']);
    await expect(link.send(['HGET', 'text', 'field'])).rejects.toMatchObject({
      code: 'ERR_REDIS_REPLY',
      message: expect.stringMatching(/^WRONGTYPE /) as string,
    });
    await expect(link.send(['EVALSHA', '0'.repeat(40), '0'])).rejects.toThrow(/^NOSCRIPT /);
    expect(await link.send(['GET', 'text'])).toBe('x');
    expect(link.life).toBe(1);
  });

  test('refuses an argument that is not a string, and keeps its connection', async () => {
    const link = linkTo(redis().connection);
    await link.connected();
    expect(await codeOf(link.send(['ECHO', 7 as unknown as string]))).toBe('ERR_INVALID_ARGUMENT');
    expect([await link.send(['ECHO', 'x']), link.life]).toEqual(['x', 1]);
  });

  test('gets a new client and a new life when it is dropped', async () => {
    const events = new EventLog();
    const link = linkTo(redis().connection, { onEvent: events.add });
    expect(await link.connected()).toBe(1);
    link.drop('a test');
    expect(link.isUp).toBe(false);
    expect(await link.connected()).toBe(2);
    expect((await events.next('lost')).error.message).toBe('a test');
    expect(events.events.map(({ type }) => type)).toEqual(['connected', 'lost', 'connected']);
  });

  test('sends what is bound to a life on that life or not at all', async () => {
    const link = linkTo(redis().connection);
    const life = await link.connected();
    expect(await link.send(['INCR', 'bound'], { life })).toBe(1);
    link.drop('a test');
    expect(await codeOf(link.send(['INCR', 'bound'], { life }))).toBe('ERR_REDIS_UNREACHABLE');
    expect(await codeOf(link.block(['BLPOP', 'none', '1'], 1_000, { life }))).toBe('ERR_REDIS_UNREACHABLE');
    await link.connected();
    expect(await codeOf(link.send(['INCR', 'bound'], { life }))).toBe('ERR_REDIS_UNREACHABLE');
    expect(await link.send(['GET', 'bound'])).toBe('1');
  });

  test('tells the verb of a command and how long it took, and never an argument', async () => {
    const events = new EventLog();
    const link = linkTo(redis().connection, { onEvent: events.add });
    await link.send(['SET', 'secret-key', 'secret-value']);
    expect(await events.next('command')).toEqual({ type: 'command', command: 'SET', ms: expect.any(Number) as number });
    expect(JSON.stringify(events.events)).not.toContain('secret');
  });

  test('works with the client of a function, which is asked for a new one for each life', async () => {
    let made = 0;
    const { socketPath } = redis();
    const link = linkTo(() => {
      made += 1;
      return createClient({ socket: { path: socketPath ?? '' } }); // reconnects by itself, if it is let
    });
    expect(await link.send(['ECHO', 'x'])).toBe('x');
    await linkTo(redis().connection).send(['CLIENT', 'KILL', 'TYPE', 'normal']);
    await until(() => link.life > 1, 'a new life');
    expect(await link.send(['ECHO', 'y'])).toBe('y');
    expect([made, link.life]).toEqual([2, 2]);
  });

  test('says so when a function gives the same client twice', async () => {
    const client = createClient({ socket: { path: redis().socketPath ?? '' } });
    const link = linkTo(() => client);
    await link.connected();
    link.drop('a test');
    expect(await codeOf(link.send(['PING']))).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('without Redis', () => {
  test('a command is not sent, and the error says where and why', async () => {
    const link = linkTo(nowhere, { purpose: 'commands' });
    const error: unknown = await link.send(['PING'], { timeoutMs: 150 }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
    expect(String(error)).toMatch(/127\.0\.0\.1:1 .*PING was not sent.*ECONNREFUSED/);
    expect(await codeOf(link.connected(50))).toBe('ERR_REDIS_UNREACHABLE');
  });

  test('a waiting command goes out when Redis comes up before its deadline', async () => {
    const server = await startRedis({ port: 'free' });
    await server.kill('SIGKILL');
    const events = new EventLog();
    const link = linkTo(server.connection, { onEvent: events.add });
    const reply = link.send(['ECHO', 'at last'], { timeoutMs: 20_000 });
    await events.next('connect_failed', 1);
    await server.restart();
    expect(await reply).toBe('at last');
  });

  test('a wrong password is told at once, and the right one is found later', async () => {
    const server = await startRedis({ args: ['--requirepass', 'right'] });
    const options = { ...(server.connection as object), password: 'wrong' };
    const link = linkTo(options, { commandTimeoutMs: 20_000 });
    await expect(link.send(['PING'])).rejects.toMatchObject({
      code: 'ERR_REDIS_REPLY',
      message: expect.stringMatching(/^WRONGPASS /) as string,
    });
    await expect(linkTo(server.connection).send(['PING'])).rejects.toThrow(/^NOAUTH /);
    const admin = linkTo({ ...options, password: 'right' });
    await admin.send(['CONFIG', 'SET', 'requirepass', 'wrong']);
    const events = new EventLog();
    const later = linkTo(options, { onEvent: events.add });
    expect(await later.send(['PING'])).toBe('PONG');
    await until(
      () =>
        link.send(['PING']).then(
          () => true,
          () => false,
        ),
      'the first link is in',
    );
  });

  test('a server that is full is waited for', async () => {
    const server = await startRedis({ args: ['--maxclients', '1'] });
    const first = linkTo(server.connection);
    await first.connected();
    const events = new EventLog();
    const second = linkTo(server.connection, { onEvent: events.add });
    const reply = second.send(['ECHO', 'in'], { timeoutMs: 20_000 });
    await events.next('connect_failed', 1); // with the reason, or with EPIPE when Redis was faster to hang up
    await first.stop();
    expect(await reply).toBe('in');
  });
});

describe('a blocked read', () => {
  test('ends in time with its reply, or with nothing', async () => {
    const link = linkTo(redis().connection);
    await link.send(['RPUSH', 'list', 'x']);
    expect(await link.block(['BLPOP', 'list', '5'], 5_000)).toEqual(['list', 'x']);
    expect(await link.block(['BLPOP', 'list', '0.01'], 10)).toBeNull();
    expect(await codeOf(link.block(['BLPOP', 'list', '0'], 0))).toBe('ERR_INVALID_ARGUMENT');
  });

  test('ends through another link, at once even when it is still on its way', async () => {
    const reader = linkTo(redis().connection);
    const commands = linkTo(redis().connection);
    await Promise.all([reader.connected(), commands.connected()]);
    const read = reader.block(['BLPOP', 'never', '60'], 60_000);
    await reader.unblock(commands);
    expect(await read).toBeNull();
    expect(reader.life).toBe(1);
    await reader.unblock(commands); // nothing is blocked: nothing to do
    expect(await reader.send(['ECHO', 'x'])).toBe('x');
  });

  test('ends with its connection when it can not be ended otherwise', async () => {
    const reader = linkTo(redis().connection);
    await reader.connected();
    const read = reader.block(['BLPOP', 'never', '60'], 60_000);
    const [code] = await Promise.all([codeOf(read), reader.unblock(linkTo(nowhere))]);
    expect(code).toBe('ERR_OUTCOME_UNKNOWN');
  });
});

describe('a stopped link', () => {
  test('rejects what is under way and what waits, and takes nothing more', async () => {
    const link = linkTo(redis().connection);
    await link.connected();
    const blocked = codeOf(link.block(['BLPOP', 'never', '60'], 60_000));
    const waiting = linkTo(nowhere);
    const unsent = codeOf(waiting.send(['PING']));
    await Promise.all([link.stop(), waiting.stop(), link.stop()]);
    expect([await blocked, await unsent]).toEqual(['ERR_OUTCOME_UNKNOWN', 'ERR_CLOSED']);
    expect(await codeOf(link.send(['PING']))).toBe('ERR_CLOSED');
    expect(await codeOf(link.connected())).toBe('ERR_CLOSED');
    expect(link.isUp).toBe(false);
  });
});
