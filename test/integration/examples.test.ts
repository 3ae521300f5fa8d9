/** The examples run as they stand there, compiled by a user's TypeScript against the built package. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Queue } from '../../src/producer/queue.js';
import { Worker } from '../../src/worker.js';
import { Program, root, UserFolder } from '../support/program.js';
import { until, useRedis } from '../support/redis.js';

const examples = join(root, 'examples');
const redis = useRedis();
const folder = new UserFolder();

/** As `tsc --init` makes it. */
const userConfig = {
  compilerOptions: { target: 'ES2023', module: 'NodeNext', types: ['node'], strict: true, outDir: 'built' },
  include: ['*.ts'],
};

beforeAll(() => {
  for (const file of readdirSync(examples))
    if (file.endsWith('.ts')) copyFileSync(join(examples, file), join(folder.path, file));
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder.path, 'tsconfig.json'), JSON.stringify(userConfig));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler], { cwd: folder.path, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the examples do not compile:\n${stdout}`);
});

afterAll(() => folder.remove());

function start(file: string, env: Record<string, string> = {}): Program {
  return run([process.execPath, join(folder.path, 'built', file)], env);
}

function run(command: [string, ...string[]], env: Record<string, string> = {}): Program {
  const program = new Program(command, { cwd: folder.path, env: { REDIS_URL: redis().url, ...env } });
  onTestFinished(() => program.kill());
  return program;
}

function open(name: string): Queue {
  const queue = new Queue(name, { connection: redis().connection });
  onTestFinished(() => queue.close());
  return queue;
}

test('every TypeScript example is run below', () => {
  const roles = ['producer.ts', 'worker.ts', 'leader.ts', 'metrics-server.ts'];
  const run = [...roles, 'backoff-and-reject.ts', 'schema.ts', 'schedules.ts'];
  const onlyTypes = ['tasks.ts'];
  expect(readdirSync(examples).filter((file) => file.endsWith('.ts'))).toEqual([...run, ...onlyTypes].toSorted());
});

test('producer.ts adds, and worker.ts runs what is due and stops well', async () => {
  const producer = start('producer.js');
  expect(await producer.ended).toBe(0);
  expect(producer.lines).toEqual([
    'due now: ready',
    'due in 90 minutes: scheduled',
    'the same id, while it lives: duplicate',
    'many at once: scheduled, scheduled, scheduled',
  ]);
  const queue = open('mail');
  await queue.runNow('digest-7');
  const worker = start('worker.js');
  await worker.line(/^welcome ann@example\.com$/);
  await worker.line(/^welcome cid@example\.com$/);
  await worker.line(/^digest for user 7, attempt 1$/);
  await until(async () => (await queue.stats()).active === 0, 'all outcomes are written');
  expect(await queue.stats()).toMatchObject({ scheduled: 4, ready: 0, dead: 0, counts: { complete: 3 } });
  expect(await worker.stop()).toBe(0);
});

test('leader.ts leads, and frees the seat on SIGTERM', async () => {
  const queue = open('mail');
  const leader = start('leader.js');
  const term = Number((await leader.line(/^leading, term \d+$/)).split(' ').at(-1));
  expect(await queue.leader()).toMatchObject({ term });
  expect(await leader.stop()).toBe(0);
  expect(leader.lines).toContain('not leading any more: resigned');
  expect(await queue.leader()).toBeNull();
});

test('metrics-server.ts serves metrics and health', async () => {
  const program = start('metrics-server.js', { METRICS_PORT: '0' });
  const url = (await program.line(/^metrics on /)).slice('metrics on '.length);
  await until(async () => (await fetch(new URL('/readyz', url))).status === 200, 'it is ready');
  const text = await (await fetch(url)).text();
  expect(text).toContain('duestream_queue_tasks{queue="mail",state="scheduled"}');
  expect(text).toContain('duestream_tasks_settled_total{queue="mail",name="welcome",outcome="completed"}');
  expect(await program.stop()).toBe(0);
});

describe('backoff-and-reject.ts', () => {
  let server: Server;
  let busy = 2;

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/gone') response.writeHead(410);
      else if (busy > 0) response.writeHead(429, { 'Retry-After': '0' });
      else response.writeHead(200, { 'X-Key': String(request.headers['idempotency-key']) });
      busy -= 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  test('waits as long as it is told to, and gives up what can only fail again', async () => {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const queue = open('hooks');
    const program = start('backoff-and-reject.js');
    await queue.add('call', { url: `${at}/busy` }, { id: 'busy' });
    await program.line(/^busy again in 0 ms$/);
    await program.line(/^busy completed at attempt 3$/);
    await queue.add('call', { url: `${at}/gone` }, { id: 'gone' });
    await program.line(/^gone dead: rejected$/);
    expect(await queue.dead.get('gone')).toMatchObject({ reason: 'rejected', attempts: 1 });
    expect(await program.stop()).toBe(0);
  });
});

test('schema.ts hands on what the schema gave back, and rejects what it refuses', async () => {
  const queue = open('signups');
  const program = start('schema.js');
  await queue.add('signup', { email: 'Ann@Example.com' });
  await queue.add('signup', { email: 'nobody' }, { id: 'bad' });
  await program.line(/^signed up ann@example\.com$/);
  await program.line(/^bad: .*payload\.email$/);
  await until(async () => (await queue.dead.get('bad'))?.reason === 'rejected', 'it is a dead letter');
  expect(program.lines.join('\n')).not.toContain('nobody');
  expect(await program.stop()).toBe(0);
});

test('schedules.ts writes its schedules, twice over the same, and each time runs once', async () => {
  const one = start('schedules.js');
  await one.line(/^nightly created, next \S+T0[01]:30:00\.000Z$/);
  await one.line(/^beats created, next \S+Z$/);
  const other = start('schedules.js');
  await other.line(/^nightly unchanged, /);
  await other.line(/^beats unchanged, /);
  const ticks = (): string[] => [...one.lines, ...other.lines].flatMap((line) => /^beats@\S+Z/.exec(line) ?? []);
  await until(() => ticks().length >= 3, 'three of them');
  expect(new Set(ticks()).size).toBe(ticks().length);
  expect([...one.lines, ...other.lines].join('\n')).toMatch(/^sales of yesterday, as nightly@/m);
  expect(await one.stop()).toBe(0);
  expect(await other.stop()).toBe(0);
  expect(other.lines.at(-1)).toMatch(/^beats fired \d+ times, next \S+Z$/);
});

test('schedules.yaml says what schedules.ts does, and more', async () => {
  const cli = join(root, 'dist/cli/main.js');
  const args = ['schedule', 'apply', 'reports', join(examples, 'schedules.yaml'), '--dry-run', '--json'];
  const program = run([process.execPath, cli, ...args]);
  expect(await program.ended).toBe(0);
  const applied = JSON.parse(program.lines.join('')) as { name: string; status: string; changes: unknown[] }[];
  expect(applied.map(({ name, status, changes }) => [name, status, changes])).toEqual([
    ['nightly', 'unchanged', []],
    ['beats', 'unchanged', []],
    ['checks', 'created', []],
  ]);
});

const python = '/usr/bin/python3';
const hasRedisPy = existsSync(python) && spawnSync(python, ['-c', 'import redis']).status === 0;
const inPython = join(examples, 'python', 'add-tasks.py');

describe.skipIf(!hasRedisPy)(
  `add-tasks.py${hasRedisPy ? '' : ' (skipped: no redis module in /usr/bin/python3)'}`,
  () => {
    test('adds a task that is due now and one that is due later, and a worker runs both, none early', async () => {
      const started: [id: string, payload: unknown, earlyMs: number][] = [];
      const keep = (task: { id: string; payload: unknown; due: number }): void => {
        started.push([task.id, task.payload, Math.max(0, task.due - Date.now())]);
      };
      const worker = new Worker('from-python', { welcome: keep, digest: keep }, { connection: redis().connection });
      onTestFinished(() => worker.stop());
      await worker.start();
      const program = run([python, inPython, 'from-python']);
      expect(await program.ended).toBe(0);
      expect(program.lines).toEqual(['welcome-zoë ready', 'digest-7 scheduled']);
      await until(() => started.length === 2, 'both ran');
      expect(started).toEqual([
        ['welcome-zoë', { to: 'zoë@example.com' }, 0],
        ['digest-7', { userId: 7 }, 0],
      ]);
      expect((await open('from-python').stats()).counts).toMatchObject({ added: 2 });
    });

    test('adds an id that lives not a second time, and makes its queue known', async () => {
      const queue = open('python-twice');
      const elsewhere = join(folder.path, 'elsewhere');
      mkdirSync(elsewhere);
      copyFileSync(join(root, 'lua', 'add.lua'), join(elsewhere, 'add.lua'));
      expect(await run([python, inPython, 'python-twice']).ended).toBe(0);
      const again = run([python, inPython, 'python-twice', '--script', join(elsewhere, 'add.lua')]);
      expect(await again.ended).toBe(0);
      expect(again.lines).toEqual(['welcome-zoë duplicate', 'digest-7 duplicate']);
      expect(await queue.get('digest-7')).toMatchObject({ name: 'digest', payload: { userId: 7 }, state: 'scheduled' });
      const { listQueues } = await import('../../src/doctor.js');
      expect(await listQueues({ connection: redis().connection })).toContain('python-twice');
    });

    test('finds an id of its own where it lay before the queue grew', async () => {
      const queue = open('python-grown');
      expect(await run([python, inPython, 'python-grown']).ended).toBe(0);
      expect(await queue.grow(8)).toMatchObject({ former: [1] });
      const again = run([python, inPython, 'python-grown']);
      expect(await again.ended).toBe(0);
      expect(again.lines).toEqual(['welcome-zoë duplicate', 'digest-7 duplicate']);
      await queue.cancel('digest-7');
      const anew = run([python, inPython, 'python-grown']);
      expect(await anew.ended).toBe(0);
      expect(anew.lines).toEqual(['welcome-zoë duplicate', 'digest-7 scheduled']);
    });
  },
);
