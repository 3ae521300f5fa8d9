import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  doctor,
  type Handlers,
  listQueues,
  type Observation,
  Queue,
  RejectTask,
  type TaskMap,
  Worker,
} from '../../src/index.js';
import { Link } from '../../src/redis/link.js';
import { freePort } from '../../src/redis/machine.js';
import { lockRights, scriptRights, withRights } from '../../src/redis/rights.js';
import { targetOf } from '../../src/redis/target.js';
import { CommandLine } from '../support/cli.js';
import { codeOf, linkTo, until } from '../support/redis.js';
import { allowedBy, commandsSeen, refusals, ruleOf } from '../support/rights.js';

/** Redis users that may do no more than they have to: those of docs/operations.md, and some that lack something. */
const cli = new CommandLine();
let port = 0;

beforeAll(async () => {
  const log = 'log("begun")';
  const hang = `hang: (task, { log }) => { ${log}; return new Promise(() => {}); }`;
  writeFileSync(
    join(cli.folder, 'handlers.mjs'),
    `export default { ${hang}, job: (task, { log }) => log('ran ' + task.id) };`,
  );
  port = await freePort();
  await cli.startRedis('--port', String(port));
});
beforeEach(async () => {
  const operator = linkTo(cli.url);
  await operator.send(['FLUSHALL']);
  await operator.send(['SCRIPT', 'FLUSH']); // so that each test sends them anew
  for (const user of ['duestream', 'duestream-add']) await operator.send(ruleOf(user));
  await operator.send(['ACL', 'LOG', 'RESET']);
  await operator.send(['CONFIG', 'RESETSTAT']);
});
afterAll(() => cli.close());

const as = (user: string): string => `redis://${user}:password@127.0.0.1:${port}`;
const env = (user = 'duestream'): { env: Record<string, string> } => ({ env: { DUESTREAM_REDIS_URL: as(user) } });

/** Takes rights from the user that has them all, or gives them. */
function change(...rights: string[]): Promise<unknown> {
  return linkTo(cli.url).send(['ACL', 'SETUSER', 'duestream', ...rights]);
}

function queueOf(name: string, user = 'duestream', prefix = 'duestream'): Queue {
  const queue = new Queue(name, { connection: as(user), prefix, repeatFor: '1s' });
  onTestFinished(() => queue.close());
  return queue;
}

async function workerOf(
  name: string,
  handlers: Handlers<TaskMap>,
): Promise<{ worker: Worker; errors: unknown[]; seen: Observation[] }> {
  const errors: unknown[] = [];
  const seen: Observation[] = [];
  const observe = (observation: Observation): void => void seen.push(observation);
  const worker = new Worker(name, handlers, { connection: as('duestream'), lease: '10s', lockTtl: '2s', observe });
  worker.on('error', (error) => errors.push(error));
  onTestFinished(() => worker.stop());
  await worker.start();
  return { worker, errors, seen };
}

describe('the users of docs/operations.md', () => {
  test('the one for everything can do everything, and is allowed nothing else', { timeout: 60_000 }, async () => {
    const operator = linkTo(cli.url);
    const queue = queueOf('life');
    await loseWorker(queue);
    const ran: string[] = [];
    const { worker, errors } = await workerOf('life', handlersOf(ran));
    await until(() => ran.includes('lost'), 'the lost task to be recovered');
    await makeTasks(queue);
    await until(() => ran.length >= 63, 'all to run');
    await until(async () => (await queue.stats()).dead === 2, 'two letters');
    await readAndChange(queue);
    await useCommandLine();
    await until(async () => (await commandsSeen(operator)).includes('ping'), 'a look whether the subscriber is alive');
    await worker.stop();
    expect(errors).toEqual([]);
    expect(await refusals(operator)).toEqual(['command config|get']); // which is asked for, and not needed
    expect(await commandsSeen(operator)).toEqual(allowedBy(ruleOf('duestream')).toSorted());
  });

  test('the one for adding can add, and is allowed nothing else', async () => {
    const operator = linkTo(cli.url);
    const queue = queueOf('life', 'duestream-add');
    await queue.add('job');
    await queue.add('job', { n: 1 }, { in: '1h', id: 'a', expiresIn: '1h' });
    expect((await queue.add('job', { n: 1 }, { in: '1h', id: 'a' })).status).toBe('duplicate');
    await queue.addMany(Array.from({ length: 50 }, () => ({ name: 'job', in: '1h' })));
    await until(async () => Number(await operator.send(['SCARD', 'duestream:queues'])) === 1, 'the name of the queue');
    expect((await cli.run(['add', 'mail', 'job'], env('duestream-add'))).code).toBe(0);
    expect(await refusals(operator)).toEqual([]);
    const seen = (await commandsSeen(operator)).filter((name) => name !== 'scard');
    expect(seen).toEqual(allowedBy(ruleOf('duestream-add')).toSorted());
    expect(await codeOf(queue.cancel('a'))).toBe('ERR_REDIS_REPLY');
  });

  test('an add that waits for a replica says that it may not, and is there; with the right it asks', async () => {
    const operator = linkTo(cli.url);
    const options = { connection: as('duestream-add'), repeatFor: '1s', commandTimeout: '100ms' } as const;
    const queue = new Queue('mail', { ...options, durability: 'replicated' });
    onTestFinished(() => queue.close());
    await expect(queue.add('job')).rejects.toMatchObject({
      code: 'ERR_OUTCOME_UNKNOWN',
      message: expect.stringMatching(/"mail" is there, but this Redis user may not ask .*: NOPERM .*'wait'/) as string,
    });
    await operator.send(['ACL', 'SETUSER', 'duestream-add', '+wait']);
    await operator.send(['ACL', 'LOG', 'RESET']);
    await expect(queue.add('job')).rejects.toThrow(/no replica confirmed it within 100 ms/);
    expect(await refusals(operator)).toEqual([]);
  });

  test('neither reaches keys and channels outside the prefix', async () => {
    const { code, stderr } = await cli.run(['add', 'mail', 'job', '--prefix', 'other'], env());
    expect(stderr).toMatch(
      /^duestream: NOPERM [^\n]*key[^\n]*; give the Redis user the rights that docs\/operations\.md names\n$/,
    );
    expect(code).toBe(1);
    for (const user of ['duestream', 'duestream-add']) {
      expect(await codeOf(queueOf('mail', user, 'other').add('job'))).toBe('ERR_REDIS_REPLY');
      await expect(linkTo(as(user)).send(['PUBLISH', 'other', 'x'])).rejects.toThrow(/NOPERM .*channel/);
    }
    expect(await linkTo(cli.url).send(['DBSIZE'])).toBe(0);
  });
});

/** A worker is killed at work, and its task lost to it. */
async function loseWorker(queue: Queue): Promise<void> {
  await queue.add('hang', null, { id: 'lost' });
  const worker = ['worker', 'life', '--handlers', './handlers.mjs', '--lease', '1s', '--leader', 'never'];
  const killed = cli.start(worker, env());
  await killed.says(/hang lost: begun/);
  killed.kill('SIGKILL');
  await killed.ended;
}

function handlersOf(ran: string[]): Handlers<TaskMap> {
  const run = ({ id }: { id: string }): void => void ran.push(id);
  return {
    hang: async (task, { heartbeat }) => {
      await heartbeat();
      run(task);
    },
    job: run,
    flaky: {
      backoff: { type: 'fixed', delay: 1 },
      handler: (task) => {
        if (task.attempt === 1) throw new Error('the first attempt fails');
        run(task);
      },
    },
    doomed: () => {
      throw new RejectTask('never');
    },
    held: ({ id }, { signal }) => {
      ran.push(id);
      return new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
}

async function makeTasks(queue: Queue): Promise<void> {
  await queue.pause();
  await queue.addMany(Array.from({ length: 60 }, (_, at) => ({ name: 'job', id: `j${at}`, expiresIn: '1h' })));
  await queue.resume();
  await queue.add('flaky', null, { id: 'flaky' });
  await queue.add('held', null, { id: 'held', in: '1ms' });
  await queue.addMany([
    { name: 'doomed', id: 'd1' },
    { name: 'doomed', id: 'd2' },
  ]);
}

async function readAndChange(queue: Queue): Promise<void> {
  await queue.add('job', null, { id: 'later', in: '1h' });
  await queue.update('later', { payload: 1 });
  await queue.reschedule('later', { in: '2h' });
  for (const state of ['scheduled', 'ready', 'active', 'cancelled'] as const) await queue.list({ state });
  expect(await queue.get('later')).toMatchObject({ state: 'scheduled', payload: 1 });
  expect(await queue.get('held')).toMatchObject({ state: 'active' });
  await queue.runNow('later');
  expect(await queue.cancel('held')).toMatchObject({ status: 'cancelled' });
  expect(await queue.dead.replay('d1')).toMatchObject({ status: 'replayed' });
  await until(async () => (await queue.dead.list()).letters.length === 2, 'the replayed to die again');
  await queue.dead.get('d1');
  expect((await queue.dead.purge('d1')) + (await queue.dead.purge())).toBe(2);
  expect(await queue.resign()).not.toBeNull();
  await until(async () => (await queue.leader()) !== null, 'a leader');
  const connection = as('duestream');
  expect(await listQueues({ connection })).toEqual(['life']);
  expect((await doctor({ connection })).checks.find(({ name }) => name === 'persistence')?.detail).toMatch(/^no AOF/);
}

async function useCommandLine(): Promise<void> {
  writeFileSync(join(cli.folder, 'tasks.ndjson'), '{"name":"job"}\n'.repeat(3));
  const codes: Record<string, number | null> = {};
  for (const line of [
    'import life tasks.ndjson',
    'add life job --in 1h --id x',
    'stats',
    'task get life x',
    'task list life',
    'task reschedule life x --in 2h',
    'task cancel life x',
    'dead list life',
    'queue pause life',
    'queue resume life',
    'leader-status life',
    'doctor life',
  ]) {
    codes[line] = (await cli.run(line.split(' '), env())).code;
  }
  // The doctor finds that this Redis keeps nothing.
  expect(codes).toEqual(
    Object.fromEntries(Object.keys(codes).map((line) => [line, line.startsWith('doctor') ? 1 : 0])),
  );
}

describe('a user that lacks something', () => {
  test.each([
    ['worker', scriptRights],
    ['lock', lockRights],
  ])('is not let in to be a %s, and told what', async (who, rights) => {
    for (const right of [...rights, 'eval']) {
      await change(`-${right}`);
      const target = withRights(targetOf(as('duestream')), { key: 'duestream:queues', rights, who });
      const link = new Link({ connection: target, purpose: who });
      const asked = link.send(['ECHO', 'x']).catch((error: unknown) => error);
      expect(await asked).toMatchObject({
        code: 'ERR_REDIS_REPLY',
        message: `NOPERM ${who}: this Redis user lacks +${right}`,
      });
      await link.stop();
      await change(`+${right}`);
    }
  });

  test('hears of it from the doctor', async () => {
    const rights = async (): Promise<unknown> => {
      const { checks } = await doctor({ connection: as('duestream') });
      return checks.find(({ name }) => name === 'rights');
    };
    expect(await rights()).toMatchObject({ ok: true });
    await change('-xadd', '-hincrby');
    expect(await rights()).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/ lacks \+hincrby \+xadd: /) as string,
    });
    await change('-eval');
    expect(await rights()).toMatchObject({ ok: false, detail: expect.stringMatching(/ lacks \+eval: /) as string });
  });

  test('hears from add what it lacks, and nothing was added', async () => {
    const queue = queueOf('mail');
    await change('-xadd', '-hincrby', '-xpending');
    await expect(queue.add('job')).rejects.toMatchObject({
      code: 'ERR_REDIS_REPLY',
      message: 'NOPERM add: this Redis user lacks +hincrby +xadd',
    });
    const { code, stderr } = await cli.run(['add', 'mail', 'job'], env());
    expect(stderr).toBe(
      'duestream: NOPERM add: this Redis user lacks +hincrby +xadd; give the Redis user the rights that docs/operations.md names\n',
    );
    expect(code).toBe(1);
    expect(await linkTo(cli.url).send(['EXISTS', 'duestream:{mail:0}:tasks'])).toBe(0);
    await change('-evalsha');
    await expect(queue.add('job')).rejects.toThrow(/^NOPERM .*'evalsha'/);
  });

  test('is told once by a worker, which touches nothing until it is given the right', async () => {
    await queueOf('mail').add('job', null, { id: 'a' });
    await change('-xpending');
    const worker = cli.start(['worker', 'mail', '--handlers', './handlers.mjs'], env());
    await worker.says(
      /Redis at 127\.0\.0\.1:\d+: NOPERM worker: this Redis user lacks \+xpending; give the Redis user/,
    );
    expect(worker.stderr).not.toContain('unreachable');
    await change('+xpending');
    await worker.says(/is back\n[^]*job a: ran a/);
    worker.kill('SIGTERM');
    const { code, stderr } = await worker.ended;
    expect(stderr.match(/NOPERM/g)).toHaveLength(1);
    expect(code).toBe(0);
  });

  test('goes without wake-ups where it may not subscribe, and that is observed once', async () => {
    await change('-subscribe');
    const ran: string[] = [];
    const { errors, seen } = await workerOf('mail', handlersOf(ran));
    await queueOf('mail').add('job', null, { id: 'a', in: '1ms' });
    await until(() => ran.length === 1, 'it to run');
    const told = (): Observation[] => seen.filter((one) => one.type === 'error');
    await until(() => told().length > 0, 'word of it');
    expect(told()).toMatchObject([{ where: 'listen', error: { code: 'ERR_REDIS_REPLY' } }]);
    expect(errors).toEqual([]);
  });

  test('does without what is only nice to have', async () => {
    await change('-info', '-client|id', '-client|unblock', '-dbsize');
    const ran: string[] = [];
    const { worker, errors } = await workerOf('mail', handlersOf(ran));
    await queueOf('mail').add('job', null, { id: 'a', in: '1ms' });
    await until(() => ran.length === 1, 'it to run');
    await worker.stop();
    expect(errors).toEqual([]);
  });
});
