import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createClient } from 'redis';
import { expect, onTestFinished, test } from 'vitest';
import { Queue } from '../../src/index.js';
import type { RedisServer } from '../../src/redis/embedded.js';
import type { SentinelOptions } from '../../src/redis/sentinel-options.js';
import { targetOf } from '../../src/redis/target.js';
import { CommandLine } from '../support/cli.js';
import { Proxy } from '../support/proxy.js';
import { codeOf, EventLog, linkTo, startRedis, until } from '../support/redis.js';

const name = 'mymaster';

/** A Sentinel by itself, that names the master it was told last. It makes no failovers: no replica is there. */
class Teller {
  readonly #server: RedisServer;

  private constructor(server: RedisServer) {
    this.#server = server;
  }

  static async start(...config: string[]): Promise<Teller> {
    return new Teller(await startRedis({ port: 'free', sentinel: config }));
  }

  get place(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  get server(): RedisServer {
    return this.#server;
  }

  async name({ port }: RedisServer): Promise<void> {
    await this.send('SENTINEL', 'REMOVE', name).catch(() => {});
    await this.send('SENTINEL', 'MONITOR', name, '127.0.0.1', String(port), '1');
  }

  /** How many connections of ours it has. */
  async clients(): Promise<number> {
    return (
      String(await this.send('CLIENT', 'LIST'))
        .trim()
        .split('\n').length - 1
    );
  }

  async send(...args: string[]): Promise<unknown> {
    const client = createClient({ socket: { host: '127.0.0.1', port: this.#server.port ?? 0 } });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      await client.disconnect();
    }
  }
}

async function startMasters(): Promise<[RedisServer, RedisServer]> {
  return [await startRedis({ port: 'free' }), await startRedis({ port: 'free' })];
}

async function startTellers(...masters: RedisServer[]): Promise<Teller[]> {
  return Promise.all(
    masters.map(async (master) => {
      const teller = await Teller.start();
      await teller.name(master);
      return teller;
    }),
  );
}

function urlOf(tellers: readonly { place: string }[], credentials = ''): string {
  return `redis+sentinel://${credentials}${tellers.map(({ place }) => place).join()}/${name}`;
}

/** A way to a Sentinel, and how often it was asked there. */
async function countedWay(to: Teller | undefined): Promise<{ place: string; asked: () => number }> {
  const way = await Proxy.before((to as Teller).server);
  let asked = 0;
  way.onRequest = (chunk) => {
    asked += String(chunk).split('GET-MASTER-ADDR-BY-NAME').length - 1;
  };
  return { place: `127.0.0.1:${way.port}`, asked: () => asked };
}

/** By its port: which of them it is. */
async function portBehind(link: ReturnType<typeof linkTo>): Promise<number> {
  return Number(((await link.send(['CONFIG', 'GET', 'port'])) as string[])[1]);
}

test('a connection leads where most Sentinels say, with the user, password and database of the URL', async () => {
  const [stale, master] = await startMasters();
  await linkTo(master.connection).send(['ACL', 'SETUSER', 'me', 'on', '>a/b@c', '~*', '+@all']);
  const link = linkTo(`${urlOf(await startTellers(stale, master, master), 'me:a%2Fb%40c@')}/5`);
  expect(await portBehind(link)).toBe(master.port);
  expect(await link.send(['ACL', 'WHOAMI'])).toBe('me');
  expect(await link.send(['CLIENT', 'INFO'])).toMatch(/ db=5 /);
});

test('a Sentinel that is down, hung, or knows no such master takes nothing from those that know', async () => {
  const [master] = await startMasters();
  const tellers = await startTellers(master, master, master);
  const [down, hung] = tellers as [Teller, Teller];
  const [ignorant, last] = [await Teller.start(), await startTellers(master)];
  const url = urlOf([down, hung, ignorant, ...tellers.slice(2), ...last]);
  await down.server.kill('SIGKILL');
  await hung.server.kill('SIGSTOP');
  expect(await portBehind(linkTo(url))).toBe(master.port);
});

test('when none knows, the error tells what each said, and no password', async () => {
  const [master] = await startMasters();
  const [down, ignorant] = [await Teller.start(), await Teller.start()];
  const guarded = await Teller.start('requirepass pa55word');
  await down.server.kill('SIGKILL');
  const options: SentinelOptions = {
    sentinels: [down, ignorant, guarded].map(({ place }) => place),
    master: name,
    password: 'secret1',
  };
  const link = linkTo(options);
  const error = (await link.send(['GET', 'a'], { timeoutMs: 2_500 }).catch((error: unknown) => error)) as Error;
  expect(error).toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
  expect(error.message).toMatch(
    /no Sentinel names the master mymaster: 127.*ECONNREFUSED.*; 127.*knows no master of that name; 127.*NOAUTH/,
  );
  const guess = targetOf({ sentinels: [guarded.place], master: name, sentinelPassword: 'secret2' });
  await expect(guess.locate()).rejects.toThrow(/: 127\.0\.0\.1:\d+: WRONGPASS [^2]*$/);
  expect(error.message).not.toMatch(/pa55word|secret/);
  await ignorant.name(master);
  await expect(codeOf(link.send(['GET', 'a']))).resolves.toBe('ERR_REDIS_REPLY'); // the master wants no password
});

test('Sentinels may have users and passwords of their own, that may ask for the master and do nothing else', async () => {
  const [master] = await startMasters();
  const guarded = await Teller.start(
    `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
    'requirepass pa55word',
    'user watcher on >w4tch -@all +ping +sentinel|get-master-addr-by-name',
  );
  const options: SentinelOptions = { sentinels: [guarded.place], master: name, sentinelPassword: 'pa55word' };
  const others: SentinelOptions = { ...options, sentinelUsername: 'watcher', sentinelPassword: 'w4tch' };
  for (const each of [options, others]) expect(await portBehind(linkTo(each))).toBe(master.port);
});

test('a server that is named and is no master is not taken for one', async () => {
  const [server, master] = await startMasters();
  await linkTo(server.connection).send(['REPLICAOF', '127.0.0.1', String(master.port)]);
  const tellers = await startTellers(server);
  const events = new EventLog();
  const link = linkTo(urlOf(tellers), { onEvent: events.add });
  const sent = link.send(['SET', 'a', '1']);
  expect((await events.next('connect_failed')).error.message).toMatch(/a server whose role is slave/);
  await linkTo(server.connection).send(['REPLICAOF', 'NO', 'ONE']);
  await expect(sent).resolves.toBe('OK');
});

test('all connections leave a server, healthy as it may be, when most Sentinels name another', async () => {
  const [before, after] = await startMasters();
  const tellers = await startTellers(before, before, before);
  const way = await countedWay(tellers[0]);
  const url = urlOf([way, ...tellers.slice(1)]);
  const [one, other] = [linkTo(url), linkTo(url)];
  await Promise.all([one.connected(), other.connected()]);
  await tellers[0]?.name(after);
  const asked = way.asked();
  await until(() => way.asked() > asked + 2, 'they were asked again');
  expect([one.life, other.life]).toEqual([1, 1]); // two name the old one still
  await tellers[1]?.name(after);
  await until(() => one.life === 2 && other.life === 2, 'new connections');
  await expect(Promise.all([one, other].map(portBehind))).resolves.toEqual([after.port, after.port]);
});

test('connections stay where they are while no Sentinel answers', async () => {
  const [master] = await startMasters();
  const [teller] = await startTellers(master);
  const way = await countedWay(teller);
  const link = linkTo(urlOf([way]));
  await link.connected();
  await teller?.server.kill('SIGKILL');
  await teller?.server.start();
  const asked = way.asked();
  await until(() => way.asked() > asked + 1, 'it is asked again');
  expect([link.life, await portBehind(link)]).toEqual([1, master.port]);
});

test('however many connections there are, each Sentinel is asked on one, and on none when they are gone', async () => {
  const [master] = await startMasters();
  const tellers = await startTellers(master, master);
  const options: SentinelOptions = { sentinels: tellers.map(({ place }) => place), master: name };
  const links = Array.from({ length: 5 }, () => linkTo(options));
  await Promise.all(links.map((link) => link.connected()));
  const clients = (): Promise<number[]> => Promise.all(tellers.map((teller) => teller.clients()));
  await until(async () => (await clients()).join() === '1,1', 'one connection to each');
  await Promise.all(links.map((link) => link.stop()));
  await until(async () => (await clients()).join() === '0,0', 'none');
});

test('a server that is no Sentinel, or answers something else than an address, does not count', async () => {
  const server = await startRedis({ port: 'free' });
  const joker = await startRedis({ port: 'free', args: ['--rename-command', 'GEOPOS', 'SENTINEL'] });
  const url = urlOf([server, joker].map(({ port }) => ({ place: `127.0.0.1:${port}` })));
  await expect(targetOf(url).locate()).rejects.toThrow(
    /no Sentinel names the master mymaster: 127.*is a Redis by itself: .*; 127.*its answer is no address/,
  );
});

test('a process whose queue is closed ends by itself', async () => {
  const [master] = await startMasters();
  const url = urlOf(await startTellers(master, master, master));
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const script = `
    const { Queue } = await import(${JSON.stringify(library)});
    const queue = new Queue('mail', { connection: '${url}' });
    console.log((await queue.add('welcome')).status);
    await queue.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = child.stdout.toArray();
  const [exitCode] = (await once(child, 'exit')) as [number];
  expect([String(Buffer.concat(await said)).trim(), exitCode]).toEqual(['ready', 0]);
  const queue = new Queue('mail', { connection: url });
  onTestFinished(() => queue.close());
  await expect(queue.stats()).resolves.toMatchObject({ ready: 1 });
});

test('the command line takes a Sentinel URL, from a flag or the environment', async () => {
  const [master] = await startMasters();
  const url = urlOf(await startTellers(master));
  const cli = new CommandLine();
  onTestFinished(() => cli.close());
  await expect(cli.run(['add', 'mail', 'welcome', '--redis', url])).resolves.toMatchObject({ code: 0 });
  await expect(cli.json(['stats', 'mail'], { env: { DUESTREAM_REDIS_URL: url } })).resolves.toMatchObject({ ready: 1 });
});
