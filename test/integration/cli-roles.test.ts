import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CommandLine } from '../support/cli.js';

/** `worker` and `leader` as processes: they run tasks, lead, and end the way they are told to. */
const cli = new CommandLine();

const handlers = `
export default {
  quick: (task, context) => context.log('got ' + JSON.stringify(task.payload)),
  slow: async (task, { log }) => {
    log('begun');
    await new Promise((resolve) => process.once('SIGINT', () => setImmediate(resolve)));
    log('done');
  },
  endless: (task, { log }) => {
    log('begun');
    return new Promise(() => {});
  },
};`;

beforeAll(async () => {
  writeFileSync(join(cli.folder, 'handlers.mjs'), handlers);
  await cli.startRedis();
});
beforeEach(() => cli.send('FLUSHALL'));
afterAll(() => cli.close());

const worker = ['--handlers', './handlers.mjs'];

test('a worker runs the tasks of several queues, now and when they are due, and ends well on SIGTERM', async () => {
  const command = cli.start(['worker', 'mail', 'reports', ...worker]);
  await command.says(/worker started: mail, reports; handles quick, slow, endless/);
  await cli.json(['add', 'mail', 'quick', '{"n":1}']);
  await cli.json(['add', 'reports', 'quick', '{"n":2}', '--in', '100ms']);
  await command.says(/mail: quick \S+: got \{"n":1\}/);
  await command.says(/reports: quick \S+: got \{"n":2\}/);
  command.kill('SIGTERM');
  const { code, stdout, stderr } = await command.ended;
  expect(stderr).toMatch(/SIGTERM: stopping; a second signal ends at once\nduestream: worker stopped\n$/);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});

test('a graceful stop lets a running task finish', async () => {
  const command = cli.start(['worker', 'mail', ...worker, '--verbose']);
  await cli.json(['add', 'mail', 'slow']);
  await command.says(/begun/);
  command.kill('SIGINT');
  const { code, stderr } = await command.ended;
  expect(stderr).toMatch(/: done\n.*completed in/s);
  expect(code).toBe(0);
  expect(await cli.json(['stats', 'mail'])).toMatchObject({
    ready: 0,
    active: 0,
    scheduled: 0,
    consumers: 0,
    leader: null,
  });
});

test('a second signal ends at once: 143 for SIGTERM, 130 for SIGINT', async () => {
  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    const command = cli.start(['worker', 'mail', ...worker]);
    await cli.json(['add', 'mail', 'endless']);
    await command.says(/begun/);
    command.kill(signal);
    await command.says(/stopping/);
    command.kill(signal);
    expect((await command.ended).code).toBe(expected);
    await cli.send('FLUSHALL');
  }
});

test('leaders: one leads, leader-status names it, and --resign makes the other lead', async () => {
  const commands = [cli.start(['leader', 'mail']), cli.start(['leader', 'mail'])];
  await expect
    .poll(() => commands.filter(({ stderr }) => stderr.includes('leads, term')).length, { timeout: 20_000 })
    .toBe(1);
  const { leader } = await cli.json<{ leader: Record<string, unknown> }>(['leader-status', 'mail']);
  expect(Object.keys(leader).toSorted()).toEqual(['host', 'id', 'pid', 'since', 'term']);
  expect(commands.map(({ process }) => process.pid)).toContain(leader['pid']);
  const { resigned } = await cli.json<{ resigned: unknown }>(['leader-status', 'mail', '--resign']);
  expect(resigned).toEqual(leader);
  await expect
    .poll(() => commands.filter(({ stderr }) => stderr.includes('leads, term')).length, { timeout: 20_000 })
    .toBe(2);
  for (const { kill } of commands.map((command) => ({ kill: () => command.kill('SIGTERM') }))) kill();
  for (const { ended } of commands) expect((await ended).code).toBe(0);
});

test('metrics and health are served while Redis is away, too', async () => {
  const command = cli.start(['worker', 'mail', ...worker, '--metrics-port', '0', '--redis', 'redis://127.0.0.1:1']);
  await command.says(/worker started: .*; http:\/\/127.0.0.1:\d+\n/);
  const [url] = /http:\/\/[\d.:]+/.exec(command.stderr) ?? [];
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toMatch(/Redis/);
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^duestream_worker_concurrency/m);
  command.kill('SIGTERM');
  expect((await command.ended).code).toBe(0);
});

test('an outage is told of once, and its end', async () => {
  const own = new CommandLine();
  const command = own.start(['leader', 'mail']);
  try {
    await command.says(/Redis at \S+ is unreachable; waiting for it/);
    await own.startRedis();
    await command.says(/is back[^]*leads, term/);
    command.kill('SIGTERM');
    const { code, stderr } = await command.ended;
    expect(stderr.match(/is unreachable/g)).toHaveLength(1);
    expect(stderr.match(/is back/g)).toHaveLength(1);
    expect(code).toBe(0);
  } finally {
    await own.close();
  }
});
