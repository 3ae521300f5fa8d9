import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandLine } from '../support/cli.js';

/** A Redis that is away, refuses, or is not fit for a queue. */
const nowhere = new CommandLine();
const locked = new CommandLine();
const evicting = new CommandLine();

let port: number;

beforeAll(async () => {
  port = await freePort();
  await locked.startRedis('--port', String(port), '--requirepass', 'right-password');
  await evicting.startRedis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
});
afterAll(() => Promise.all([nowhere.close(), locked.close(), evicting.close()]));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const oneLine = /^duestream: [^\n]+\n$/;

const oneShot = [
  ['add', 'mail', 'welcome'],
  ['stats'],
  ['stats', 'mail'],
  ['task', 'get', 'mail', 'x'],
  ['dead', 'purge', 'mail', '--all'],
  ['queue', 'pause', 'mail'],
  ['leader-status', 'mail'],
  ['doctor'],
];

test.each(oneShot.map((argv) => ({ argv, line: argv.join(' ') })))(
  '$line says that Redis could not be reached within 2.5 s: exit code 69',
  async ({ argv }) => {
    const { code, stdout, stderr } = await nowhere.run(argv);
    expect(stderr).toMatch(oneLine);
    const [, withinMs] = /could not be reached within (\d+) ms/.exec(stderr) ?? []; // less a moment, where it counts from its call
    expect(Number(withinMs)).toBeGreaterThan(1_000);
    expect(Number(withinMs)).toBeLessThanOrEqual(2_500);
    expect(stderr).toMatch(/start Redis, or name another with --redis/);
    expect(stderr.includes('(doctor)')).toBe(argv[0] === 'doctor');
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
  },
);

test('an import into a Redis that is away: exit code 69', async () => {
  const { code, stderr } = await nowhere.run(['import', 'mail'], { stdin: '{"name":"welcome"}\n' });
  expect(stderr).toMatch(oneLine);
  expect(code).toBe(69);
});

test('a wrong password, or none, is an error of one line that says where it belongs and does not show it', async () => {
  for (const password of ['', ':wrong-password@', 'someone:wrong-password@']) {
    const env = { DUESTREAM_REDIS_URL: `redis://${password}127.0.0.1:${port}` };
    const { code, stdout, stderr } = await locked.run(['add', 'mail', 'welcome'], { env });
    expect(stderr).toMatch(oneLine);
    expect(stderr).not.toContain('.;');
    expect(stderr).toMatch(/put the right user and password into its URL; in DUESTREAM_REDIS_URL no list/);
    expect(stdout + stderr).not.toContain('wrong-password');
    expect(code).toBe(1);
  }
  const env = { DUESTREAM_REDIS_URL: `redis://:right-password@127.0.0.1:${port}` };
  expect((await locked.run(['add', 'mail', 'welcome'], { env })).code).toBe(0);
});

test('doctor finds an eviction policy: exit code 1', async () => {
  const { code, stdout } = await evicting.run(['doctor', '--json']);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { name: string; ok: boolean; detail: string }[] };
  expect(code).toBe(1);
  expect(ok).toBe(false);
  expect(checks.find(({ name }) => name === 'eviction')).toMatchObject({ ok: false });
});

test('roles on a Redis that keeps nothing warn of it, once for all queues', async () => {
  const leader = evicting.start(['leader', 'mail', 'reports']);
  await leader.says(
    /warning: this Redis can lose what it has acknowledged: a restart costs everything: set appendonly yes\n/,
  );
  await leader.says(/mail: leads[^]*reports: leads|reports: leads[^]*mail: leads/);
  leader.kill('SIGTERM');
  const { code, stderr } = await leader.ended;
  expect(stderr.match(/warning/g)).toHaveLength(1);
  expect(code).toBe(0);
});

test('a worker on a Redis that evicts says so', async () => {
  writeFileSync(join(evicting.folder, 'handlers.mjs'), 'export default { welcome: () => {} };');
  const worker = evicting.start(['worker', 'mail', '--handlers', './handlers.mjs']);
  await worker.says(/noeviction/);
  worker.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
});

test('a role that Redis refuses says that the password is wrong, not that Redis is away', async () => {
  const leader = locked.start(['leader', 'mail', '--redis', `redis://:wrong-password@127.0.0.1:${port}`]);
  await leader.says(/Redis at 127\.0\.0\.1:\d+ refused the password; put the right user/);
  leader.kill('SIGTERM');
  const { code, stderr } = await leader.ended;
  expect(stderr).not.toMatch(/unreachable|wrong-password/);
  expect(code).toBe(0);
});

test('a role waits for Redis, and stops at once when it is told to', async () => {
  const leader = nowhere.start(['leader', 'mail']);
  await leader.says(/leader started/);
  leader.kill('SIGTERM');
  const { code, stderr } = await leader.ended;
  expect(stderr).toMatch(/leader stopped/);
  expect(code).toBe(0);
});
