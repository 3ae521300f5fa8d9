import { expect, onTestFinished, test } from 'vitest';
import { type Check, doctor, Leader, type Observation, Worker } from '../../src/index.js';
import type { RedisLaunchOptions, RedisServer } from '../../src/redis/embedded.js';
import { judgeServer } from '../../src/redis/suitability.js';
import { linkTo, startRedis, until } from '../support/redis.js';

/** What a Redis can lose of what it has acknowledged is said: by the doctor, and at the start. */
async function checkOf(server: RedisServer, name: string): Promise<Check | undefined> {
  const { checks } = await doctor({ connection: server.connection });
  return checks.find((check) => check.name === name);
}

/** What is observed of it when it is judged, as at every start. */
async function risksOf(server: RedisServer): Promise<readonly string[]> {
  const seen: Observation[] = [];
  expect(await judgeServer(linkTo(server.connection), (observation) => seen.push(observation))).toBeUndefined();
  return seen.flatMap((one) => (one.type === 'at_risk' ? one.risks : []));
}

const modes: readonly (readonly [of: string, options: RedisLaunchOptions, check: object, risk: RegExp | undefined])[] =
  [
    ['fsync always', { appendonly: 'always' }, { ok: true }, undefined],
    [
      'fsync every second',
      { appendonly: 'everysec' },
      { ok: true, risk: true },
      /^a power loss costs up to a second of it/,
    ],
    [
      'no fsync',
      { args: ['--appendonly', 'yes', '--appendfsync', 'no'] },
      { ok: true, risk: true },
      /^a power loss costs what/,
    ],
    ['snapshots only', { args: ['--save', '3600 1'] }, { ok: false }, /^a crash costs all since the last snapshot/],
    ['nothing', {}, { ok: false }, /^a restart costs everything/],
  ];

test.each(modes)('a Redis with %s', async (_of, options, check, risk) => {
  const server = await startRedis(options);
  const found = await checkOf(server, 'persistence');
  expect(found).toMatchObject(check);
  expect(found?.risk).toBe('risk' in check ? true : undefined);
  const told = await risksOf(server);
  expect(told).toHaveLength(risk === undefined ? 0 : 1);
  if (risk) expect(told[0]).toMatch(risk);
});

test('replicas that no write waits for are a risk, and no more with min-replicas-to-write', async () => {
  const server = await startRedis({ port: 'free', appendonly: 'always' });
  expect(await checkOf(server, 'replication')).toMatchObject({
    ok: true,
    detail: expect.stringMatching(/^no replicas are connected:/) as string,
  });
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] });
  const operator = linkTo(server.connection);
  await until(async () => /connected_slaves:1/.test(String(await operator.send(['INFO', 'replication']))), 'a replica');
  expect(await checkOf(server, 'replication')).toMatchObject({ ok: true, risk: true });
  expect(await checkOf(replica, 'replication')).toMatchObject({
    ok: false,
    detail: `this is a replica of 127.0.0.1:${server.port} and takes no writes: name its master`,
  });
  expect(await risksOf(server)).toEqual([
    expect.stringMatching(/^a failover costs what had not reached a replica: set min-/),
  ]);
  await operator.send(['CONFIG', 'SET', 'min-replicas-to-write', '1', 'min-replicas-max-lag', '2']);
  expect(await checkOf(server, 'replication')).toEqual({
    name: 'replication',
    ok: true,
    detail: 'min-replicas-to-write is set, 1 replicas are connected',
  });
});

test('a worker and a leader observe it once, and take it for no error', async () => {
  const { connection } = await startRedis();
  const seen: Observation[] = [];
  const errors: unknown[] = [];
  const options = { connection, observe: (observation: Observation): void => void seen.push(observation) };
  const stations = [
    new Leader('mail', options),
    new Worker('mail', { job: () => {} }, { ...options, leader: 'never' }),
  ];
  for (const station of stations) {
    station.on('error', (error: unknown) => errors.push(error));
    onTestFinished(() => station.stop());
    await station.start();
  }
  await until(() => seen.filter(({ type }) => type === 'at_risk').length === 2, 'both to say so');
  expect(errors).toEqual([]);
});
