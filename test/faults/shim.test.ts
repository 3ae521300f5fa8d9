import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Arena } from '../../src/cli/verify/arena.js';
import { cutUnsynced, powerFaults } from '../../src/cli/verify/faults/power.js';
import type { NemesisRecord } from '../../src/cli/verify/history/records.js';
import { Seeded } from '../../src/cli/verify/seeded.js';
import { Shim } from '../../src/cli/verify/shim/shim.js';
import type { RedisServer } from '../../src/testing.js';
import { linkTo, startRedis, until } from '../support/redis.js';

/** The shim of the campaign: a clock that is stepped, and a power loss that takes what no fsync has covered. */
const prepared = await Shim.prepare();
const skipped = typeof prepared === 'string' ? ` (skipped: ${prepared})` : '';

/** The tests that use it are skipped without it. */
function shim(): Shim {
  if (typeof prepared === 'string') throw new Error(prepared);
  return prepared;
}

afterAll(async () => {
  if (prepared instanceof Shim) await prepared.close();
});

async function redisMs(link: ReturnType<typeof linkTo>): Promise<number> {
  const [seconds, micros] = (await link.send(['TIME'])) as string[];
  return Number(seconds) * 1000 + Number(micros) / 1000;
}

describe.skipIf(skipped !== '')(`the clock${skipped}`, () => {
  test.each([2_000, -2_000])(
    'of a Redis that steps by %i ms: TIME, what expires and what idles step with it',
    async (stepMs) => {
      const name = `stepped${stepMs}`;
      const server = await startRedis({ env: shim().envOf(name) });
      const link = linkTo(server.connection);
      const board = shim().boardOf(name);
      expect(board.pid).toBe(server.pid);
      const startedAtMs = performance.now();
      await link.send(['SET', 'lock', 'held', 'PX', '60000']);
      await link.send(['XADD', 'stream', '*', 'a', '1']);
      await link.send(['XGROUP', 'CREATE', 'stream', 'workers', '0']);
      await link.send(['XREADGROUP', 'GROUP', 'workers', 'me', 'STREAMS', 'stream', '>']);
      const beforeMs = await redisMs(link);
      board.stepTo(stepMs);
      const afterMs = await redisMs(link);
      const leftMs = Number(await link.send(['PTTL', 'lock']));
      const [[, , idleMs]] = (await link.send(['XPENDING', 'stream', 'workers', '-', '+', '1'])) as [
        [string, string, number],
      ];
      board.stepTo(0);
      const backMs = await redisMs(link);
      const tookMs = performance.now() - startedAtMs;

      const within = (value: number, lowMs: number): void => {
        expect(value).toBeGreaterThanOrEqual(lowMs - 1);
        expect(value).toBeLessThanOrEqual(lowMs + tookMs + 1);
      };
      within(afterMs - beforeMs, stepMs);
      within(60_000 - leftMs, stepMs);
      within(idleMs, Math.max(0, stepMs)); // it is never below 0
      within(backMs - beforeMs, 0);
    },
  );

  test('of a Redis keeps its step over a restart', async () => {
    const server = await startRedis({ appendonly: 'always', env: shim().envOf('restarted') });
    shim().boardOf('restarted').stepTo(3_600_000);
    await server.kill('SIGKILL');
    await server.start();
    expect(await redisMs(linkTo(server.connection))).toBeGreaterThan(Date.now() + 3_590_000);
    expect(shim().boardOf('restarted').pid).toBe(server.pid);
  });

  test('on the wall of a process steps, its monotonic one does not', () => {
    shim().boardOf('process').stepTo(-1_500.4);
    const env = { ...process.env, ...shim().envOf('process') };
    const program = 'console.log(JSON.stringify([Date.now(), Number(process.hrtime.bigint() / 1000n) / 1000]))';
    const [wallMs, monotonicMs] = [Date.now(), Number(process.hrtime.bigint()) / 1e6];
    const [itsWallMs, itsMonotonicMs] = JSON.parse(
      String(execFileSync(process.execPath, ['-e', program], { env })),
    ) as [number, number];
    const tookMs = Number(process.hrtime.bigint()) / 1e6 - monotonicMs;
    expect(itsMonotonicMs - monotonicMs).toBeGreaterThan(0);
    expect(itsMonotonicMs - monotonicMs).toBeLessThan(tookMs);
    expect(itsWallMs - wallMs).toBeGreaterThanOrEqual(-1_501);
    expect(itsWallMs - wallMs).toBeLessThanOrEqual(-1_499 + tookMs);
  });
});

/** The file that a power loss cuts, and how much of it is on the disk. */
function bytesOf({ dir }: RedisServer, name: string): { size: number; synced: number } {
  const folder = join(dir, 'appendonlydir');
  const [file = ''] = readdirSync(folder).filter((each) => each.endsWith('.incr.aof'));
  const path = join(folder, file);
  return { size: statSync(path).size, synced: shim().boardOf(name).syncedBytes(path) ?? 0 };
}

describe.skipIf(skipped !== '')(`a power loss${skipped}`, () => {
  test('under everysec takes what came after the last fsync, and nothing before it', async () => {
    const server = await startRedis({ appendonly: 'everysec', env: shim().envOf('everysec') });
    const link = linkTo(server.connection);
    await link.send(['SET', 'early', 'yes']);
    await until(() => bytesOf(server, 'everysec').synced === bytesOf(server, 'everysec').size, 'an fsync');
    await until(async () => {
      await link.send(['SET', 'late', 'yes']);
      await server.kill('SIGSTOP');
      const { size, synced } = bytesOf(server, 'everysec');
      if (synced < size) return true;
      await server.kill('SIGCONT'); // an fsync was faster
      return false;
    }, 'a write without fsync');
    await server.kill('SIGKILL');
    expect(await cutUnsynced(server, shim().boardOf('everysec'))).toBeGreaterThan(0);
    await server.start();
    expect(await linkTo(server.connection).send(['MGET', 'early', 'late'])).toEqual(['yes', null]);
  });

  test('takes nothing that was written before it began, also when the campaign ends with it', async () => {
    const redis = await startRedis({ appendonly: 'everysec', env: shim().envOf('redis') });
    const [link, key] = [linkTo(redis.connection), (name: string) => name];
    const arena = { redis, link, key, shim: shim(), plan: { appendonly: 'everysec' } } as unknown as Arena;
    const draws = new Seeded(1);
    const facts: NemesisRecord[] = [];
    const making = {
      arena,
      draws,
      wait: () => Promise.resolve(),
      note: (fact: NemesisRecord) => void facts.push(fact),
    };
    await link.send(['SET', 'early', 'yes']);
    await powerFaults[0]?.plan(arena, draws).run(making);
    expect(await linkTo(redis.connection).send(['GET', 'early'])).toBe('yes');
    const [fact] = facts;
    expect(fact).toMatchObject({ what: 'power_loss' });
    expect(fact && 'lostMs' in fact ? fact.lostMs : Number.NaN).toBeLessThan(60_000); // some of its own marks survived
  });

  test('under always takes nothing that was acknowledged', async () => {
    const server = await startRedis({ appendonly: 'always', env: shim().envOf('always') });
    const link = linkTo(server.connection);
    const acknowledged: string[] = [];
    const sent = Array.from({ length: 2_000 }, (_, at) =>
      link.send(['SET', `key${at}`, 'x'.repeat(500)]).then(
        () => acknowledged.push(`key${at}`),
        () => {}, // the power was gone
      ),
    );
    await until(() => acknowledged.length >= 200, 'some writes');
    await server.kill('SIGKILL');
    await Promise.all(sent);
    await cutUnsynced(server, shim().boardOf('always'));
    await server.start();
    expect(await linkTo(server.connection).send(['EXISTS', ...acknowledged])).toBe(acknowledged.length);
  });

  test('tears no more than the last command when it leaves a part of one', async () => {
    const server = await startRedis({ appendonly: 'everysec', env: shim().envOf('torn') });
    const link = linkTo(server.connection);
    await link.send(['SET', 'whole', 'yes']);
    await link.send(['SET', 'torn', 'x'.repeat(1_000)]);
    await server.kill('SIGKILL');
    const { size } = bytesOf(server, 'torn');
    const keepAll = { syncedBytes: () => size - 500 };
    expect(await cutUnsynced(server, keepAll)).toBe(500);
    await server.start();
    expect(await linkTo(server.connection).send(['MGET', 'whole', 'torn'])).toEqual(['yes', null]);
  });
});

test('a machine without a compiler says so', async () => {
  vi.stubEnv('PATH', '');
  try {
    expect(await Shim.prepare()).toMatch(/^it needs /);
  } finally {
    vi.unstubAllEnvs();
  }
});
