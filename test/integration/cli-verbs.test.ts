import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DoorLine } from '../support/at-the-door.js';

/** What each verb does to a real Redis, and what it prints, for people and for scripts. */
const cli = new DoorLine();

beforeAll(async () => {
  writeFileSync(join(cli.folder, 'reject.mjs'), `export default { bad: () => { throw new Error('never works'); } };`);
  await cli.startRedis();
});
beforeEach(() => cli.send('FLUSHALL'));
afterAll(() => cli.close());

const add = (...more: string[]): Promise<{ id: string; status: string }> =>
  cli.json(['add', 'mail', 'welcome', ...more]);

test('add says what became of the task; a duplicate is a result', async () => {
  expect(await add('{"to":"a@b.c"}', '--id', 'one')).toEqual({ id: 'one', status: 'ready' });
  expect(await add('{"to":"other"}', '--id', 'one')).toEqual({ id: 'one', status: 'duplicate' });
  expect(await add('--in', '1h', '--id', 'two')).toEqual({ id: 'two', status: 'scheduled' });
  expect(await cli.run(['add', 'mail', 'welcome', '--id', 'three'])).toEqual({
    code: 0,
    stdout: 'three ready\n',
    stderr: '',
  });
});

test('a payload is any JSON, from an argument or from stdin', async () => {
  const large = '[9007199254740991,"90071992547409931","\\\\",0.12345678901234567,1e20]';
  for (const json of ['-5', 'true', 'null', '"-"', '[]', '{"a":[{}]}', '"--in"', large]) {
    const { id } = await add(json);
    expect(await cli.json(['task', 'get', 'mail', id])).toMatchObject({ payload: JSON.parse(json) as unknown });
  }
  const result = await cli.run(['add', 'mail', 'welcome', '-', '--id', 'piped'], { stdin: '{"from":"stdin"}\n' });
  expect(result.code).toBe(0);
  expect(await cli.json(['task', 'get', 'mail', 'piped'])).toMatchObject({ payload: { from: 'stdin' } });
}, 120_000);

test('queue create settles the number of partitions; another number is a conflict, and no number is bad usage', async () => {
  const mail = { queue: 'mail', partitions: 4, former: [] };
  expect(await cli.json(['queue', 'create', 'mail', '--partitions', '4'])).toEqual(mail);
  expect((await cli.run(['queue', 'create', 'mail', '--partitions', '4'])).stdout).toBe('mail has 4 partitions\n');
  expect(await cli.json(['queue', 'create', 'mail'])).toEqual(mail);
  expect((await cli.run(['stats', 'mail'])).stderr).toBe('');
  const other = await cli.run(['queue', 'create', 'mail', '--partitions', '8']);
  expect(other).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringMatching(
      /is there already, with 4 partitions; to give it more: duestream queue grow \S+ --partitions 8\n$/,
    ),
  });
  const uneven = await cli.run(['queue', 'create', 'mail', '--partitions', '6']);
  expect(uneven.stderr).toMatch(/to give it more: duestream queue grow mail --partitions 8\n$/);
  for (const less of ['2', '1024']) {
    const { stderr } = await cli.run(['queue', 'create', 'mail', '--partitions', less]);
    expect(stderr).toMatch(less === '2' ? /with 4 partitions\n$/ : /grow mail --partitions 1024\n$/);
  }
  for (const bad of ['0', '-1', '1025', 'four']) {
    expect(await cli.run(['queue', 'create', 'other', `--partitions=${bad}`])).toMatchObject({ code: 2, stdout: '' });
  }
  expect(await cli.send('KEYS', '*other*')).toEqual([]);
});

test('queue grow gives a queue more partitions, and the doctor tells of it until the former layout is forgotten', async () => {
  await cli.run(['queue', 'create', 'mail', '--partitions', '2']);
  const grown = 'mail has 4 partitions; what it has of the 2 before is worked off where it is\n';
  expect(await cli.run(['queue', 'grow', 'mail', '--partitions', '4'])).toMatchObject({ code: 0, stdout: grown });
  await add('--id', 'waits', '--key', 't0', '--in', '1h'); // of 4 in partition 2, of 2 in 0
  expect((await cli.run(['stats', 'mail', '--by-partition'])).stdout).toMatch(
    /^mail +growing +4 [^]*\nmail +waiting +2 /m,
  );
  const run = await cli.run(['task', 'run', 'mail', 'waits']);
  expect(run).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('waits: its partition is new since the queue grew'),
  });
  const again = await cli.json(['queue', 'grow', 'mail', '--partitions', '4']);
  expect(again).toEqual({ queue: 'mail', partitions: 4, former: [2] });
  const doctor = await cli.run(['doctor', '--json']); // it finds fault with this Redis, which keeps nothing
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string }[] };
  expect(checks.find(({ name }) => name === 'mail: growth')).toMatchObject({
    ok: false,
    detail: '2 → 4; nobody leads, so it does not go on: start a worker or a leader',
  });
});

test('queue grow refuses what can not be, and writes nothing', async () => {
  await cli.run(['queue', 'create', 'mail', '--partitions', '2']);
  const refused = async (...args: string[]) => cli.run(['queue', 'grow', ...args]);
  const multiple = expect.stringContaining('has 2 partitions: it can grow to 4, 6, another multiple; got 3');
  expect(await refused('mail', '--partitions', '3')).toMatchObject({ code: 2, stdout: '', stderr: multiple });
  const lacks = expect.stringContaining('queue grow needs --partitions');
  expect(await refused('mail')).toMatchObject({ code: 2, stdout: '', stderr: lacks });
  expect(await refused('mail', '--partitions', '2048')).toMatchObject({ code: 2, stdout: '' });
  const unknown = expect.stringContaining('there is no queue "mial"');
  expect(await refused('mial', '--partitions', '4')).toMatchObject({ code: 3, stdout: '', stderr: unknown });
  expect(await cli.json(['queue', 'create', 'mail'])).toEqual({ queue: 'mail', partitions: 2, former: [] });
});

test('a task with a key is found by its id and its key', async () => {
  await cli.run(['queue', 'create', 'mail', '--partitions', '4']);
  await add('1', '--id', 'same', '--key', 'ann', '--in', '1h');
  await add('2', '--id', 'same', '--key', 'dan', '--in', '1h');
  const get = (...more: string[]): Promise<unknown> => cli.json(['task', 'get', 'mail', 'same', ...more]);
  expect(await get('--key', 'ann')).toMatchObject({ key: 'ann', payload: 1 });
  expect(await get('--key', 'dan')).toMatchObject({ payload: 2 });
  expect(await cli.json(['task', 'cancel', 'mail', 'same', '--key', 'ann'])).toMatchObject({ status: 'cancelled' });
  expect(await get()).toMatchObject({ payload: 2, state: 'scheduled' });
});

test('a due time can be said in three ways', async () => {
  await add('--at', '2099-01-01T09:00+01:00', '--id', 'at');
  await add('--at-ms', '4070937600000', '--id', 'at-ms');
  for (const id of ['at', 'at-ms']) {
    expect(await cli.json(['task', 'get', 'mail', id])).toMatchObject({ state: 'scheduled', due: 4_070_937_600_000 });
  }
});

test('an id that begins with a dash is reached behind --', async () => {
  await add('--id=-odd');
  const { code, stdout } = await cli.run(['task', 'get', 'mail', '--json', '--', '-odd']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ id: '-odd' });
});

test('stats has just these fields; an array without a queue', async () => {
  await add('--in', '1h');
  await add();
  const mail = {
    queue: 'mail',
    paused: false,
    scheduled: 1,
    due: 0,
    ready: 1,
    active: 0,
    dead: 0,
    consumers: 0,
    leader: null,
    partitions: 1,
    former: [],
    waiting: 0,
    partlyPaused: false,
    schedules: 0,
    nextSchedule: null,
  };
  const { stdout } = await cli.run(['stats', 'mail', '--json']);
  expect(JSON.parse(stdout)).toEqual(mail);
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual(Object.keys(mail));
  await cli.json(['add', 'reports', 'weekly']);
  expect(await cli.json(['stats'])).toEqual([mail, { ...mail, queue: 'reports', scheduled: 0 }]);
  const { stdout: table } = await cli.run(['stats']);
  expect(table.split('\n').map((line) => line.split(/\s+/)[0])).toEqual(['QUEUE', 'mail', 'reports', '']);
});

test('stats tells how many partitions there are, and with --by-partition of each', async () => {
  await cli.json(['queue', 'create', 'wide', '--partitions', '2']);
  await cli.json(['add', 'wide', 'welcome', '--id', 'x', '--key', 'ann', '--in', '1h']);
  expect(await cli.json(['stats', 'wide'])).toMatchObject({ partitions: 2, scheduled: 1 });
  expect(await cli.json(['stats', 'wide'])).not.toHaveProperty('byPartition');
  const { byPartition } = await cli.json<{ byPartition: { partition: number; scheduled: number }[] }>([
    'stats',
    'wide',
    '--by-partition',
  ]);
  expect(byPartition.map(({ partition }) => partition)).toEqual([0, 1]);
  expect(byPartition.reduce((sum, { scheduled }) => sum + scheduled, 0)).toBe(1);
  const { stdout } = await cli.run(['stats', 'wide', '--by-partition']);
  expect(stdout).toMatch(
    /^QUEUE +STATE +PARTITIONS .*\nwide +running +2 +1 .*\n\nQUEUE +STATE +PARTITION .*\nwide +running +0 .*\nwide +running +1 .*\n$/,
  );
  const watching = cli.start(['stats', 'wide', '--watch', '--by-partition']);
  await expect.poll(() => watching.stdout.split('\n').length, { timeout: 20_000 }).toBeGreaterThan(3);
  watching.kill('SIGKILL');
  expect(watching.stdout).toMatch(
    /^wide running .* partitions=2\nwide running partition=0 scheduled=.*\nwide running partition=1 /,
  );
});

test('stats --watch prints a line each time where nobody watches', async () => {
  await add();
  const watching = cli.start(['stats', 'mail', '--watch']);
  await expect.poll(() => watching.stdout.split('\n').length, { timeout: 20_000 }).toBeGreaterThan(2);
  watching.kill('SIGKILL');
  expect(watching.stdout).toMatch(
    /^mail running scheduled=0 due=0 ready=1 active=0 dead=0 consumers=0 leader=none partitions=1\n/,
  );
  expect(watching.stdout).not.toContain('\u001b');
});

test('cancel, reschedule and run: what they did, and 4 when it is too late', async () => {
  await add('--in', '1h', '--id', 'a');
  expect(await cli.json(['task', 'reschedule', 'mail', 'a', '--in', '2h'])).toMatchObject({
    id: 'a',
    status: 'rescheduled',
  });
  expect(await cli.json(['task', 'run', 'mail', 'a'])).toEqual({ id: 'a', status: 'ready', was: 'scheduled' });
  expect(await cli.json(['task', 'cancel', 'mail', 'a'])).toEqual({ id: 'a', status: 'cancelled', was: 'ready' });
  const late = await cli.run(['task', 'cancel', 'mail', 'a', '--json']);
  expect(JSON.parse(late.stdout)).toEqual({ id: 'a', status: 'settled', state: 'cancelled' });
  expect(late.stderr).toBe('duestream: task a has already ended: it is cancelled\n');
  expect((await cli.run(['task', 'get', 'mail', 'a'])).stdout).not.toMatch(/^(payload|due|created) /m); // not kept
  expect(late.code).toBe(4);
});

test('task list goes through the states in pages', async () => {
  for (const id of ['a', 'b', 'c']) await add('--in', '1h', '--id', id);
  interface Page {
    tasks: { id: string }[];
    after: string | null;
  }
  const first = await cli.json<Page>(['task', 'list', 'mail', '--limit', '2']);
  expect(first.after).not.toBeNull();
  const second = await cli.json<Page>(['task', 'list', 'mail', '--limit', '2', `--after=${first.after ?? ''}`]);
  expect([...first.tasks, ...second.tasks].map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  const { stdout } = await cli.run(['task', 'list', 'mail', '--state', 'ready']);
  expect(stdout).toBe('ID  NAME  STATE  DUE\n');
  await add('--in', '2h', '--id', 'd', '--key', 'ann'); // an id alone may mean several then
  expect((await cli.run(['task', 'list', 'mail'])).stdout).toMatch(
    /^ID  KEY +NAME[^\n]*\na  +welcome[^]*\nd   ann  welcome/,
  );
});

test('a paused queue says so until it is resumed', async () => {
  expect(await cli.json(['queue', 'pause', 'mail'])).toEqual({ queue: 'mail', paused: true });
  expect(await cli.json(['stats', 'mail'])).toMatchObject({ paused: true });
  expect(await cli.json(['queue', 'resume', 'mail'])).toEqual({ queue: 'mail', paused: false });
  expect(await cli.json(['stats', 'mail'])).toMatchObject({ paused: false });
});

test('a dead letter is listed, shown, replayed once, and purged', async () => {
  await cli.json(['add', 'mail', 'bad', '--id', 'x', '--max-attempts', '1']);
  const worker = cli.start(['worker', 'mail', '--handlers', 'reject.mjs', '--verbose']);
  await worker.says(/bad x \(attempt 1\) given up: max_attempts/);
  worker.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);

  const { letters } = await cli.json<{ letters: { id: string; number: string }[] }>(['dead', 'list', 'mail']);
  expect(letters).toMatchObject([{ id: 'x', name: 'bad', reason: 'max_attempts', attempts: 1 }]);
  expect((await cli.run(['dead', 'show', 'mail', 'x'])).stdout).toMatch(/attempt 1\s+\S+ never works/);

  await cli.json(['add', 'mail', 'bad', '--id', 'x']);
  const conflict = await cli.run(['dead', 'replay', 'mail', 'x']);
  expect(conflict.stderr).toMatch(/^duestream: a task x lives anew: [^\n]+\n$/);
  expect(conflict.code).toBe(4);
  await cli.json(['task', 'cancel', 'mail', 'x']);
  expect(await cli.json(['dead', 'replay', 'mail', letters[0]?.number ?? ''])).toMatchObject({
    id: 'x',
    status: 'replayed',
  });
  expect(await cli.json(['task', 'get', 'mail', 'x'])).toMatchObject({ state: 'ready', attempt: 1 });
  expect(await cli.json(['dead', 'purge', 'mail', '--all'])).toEqual({ purged: 0 });
});

test('a dead letter with a key shows it, and is found by it', async () => {
  await cli.json(['queue', 'create', 'keyed', '--partitions', '2']);
  await cli.json(['add', 'keyed', 'bad', '--id', 'x', '--key', 'ann', '--max-attempts', '1']);
  const worker = cli.start(['worker', 'keyed', '--handlers', 'reject.mjs', '--verbose']);
  await worker.says(/bad x \(attempt 1\) given up/);
  worker.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  const listed = (await cli.run(['dead', 'list', 'keyed', '--key', 'ann'])).stdout;
  expect(listed).toMatch(/^NUMBER +ID +KEY +NAME.*\n\S+ +x +ann +bad /);
  expect(await cli.json(['dead', 'list', 'keyed', '--key', 'bob'])).toMatchObject({ letters: [] });
  expect((await cli.run(['dead', 'show', 'keyed', 'x', '--key', 'ann'])).stdout).toMatch(/^key +ann$/m);
  for (const verb of ['show', 'replay', 'purge']) {
    expect((await cli.run(['dead', verb, 'keyed', 'x', '--key', 'bob'])).code).toBe(3);
  }
  const all = await cli.run(['dead', 'purge', 'keyed', '--all', '--key', 'ann']);
  expect(all.stderr).toMatch(/^duestream: --key goes with a letter, not with --all\n$/);
  expect(all.code).toBe(2);
  expect(await cli.json(['dead', 'replay', 'keyed', 'x', '--key', 'ann'])).toMatchObject({ status: 'replayed' });
  expect(await cli.json(['dead', 'purge', 'keyed', 'x', '--key', 'ann']).catch(() => 'none')).toBe('none');
});

const empty = [['queue', 'pause'], ['stats'], ['doctor'], ['dead', 'list'], ['task', 'list'], ['leader-status']].map(
  (verb) => [[...verb, 'mial']] as const,
);
test.each(empty)('%s of a queue that was never made says so, and ends as ever', async (argv) => {
  await add();
  expect((await cli.run(argv)).stderr).toMatch(/^duestream: nothing was ever added to "mial"\n/);
  expect((await cli.run([...argv.slice(0, -1), 'mail'])).stderr).not.toContain('ever added');
  expect((await cli.run(['stats', 'mial'])).code).toBe(0);
});

test('doctor finds tasks that are ready and that nobody consumes', async () => {
  await add();
  await add();
  const consumers = async (): Promise<unknown> => {
    const { checks } = JSON.parse((await cli.run(['doctor', 'mail', '--json'])).stdout) as {
      checks: { name: string }[];
    };
    return checks.find(({ name }) => name === 'mail: consumers');
  };
  expect(await consumers()).toMatchObject({
    ok: false,
    detail: '2 tasks are ready and nobody consumes: start a worker',
  });
  await cli.run(['queue', 'pause', 'mail']);
  expect(await consumers()).toMatchObject({ ok: true });
});

test('doctor finds tasks whose stream was deleted, and --repair has them promoted again', async () => {
  const tasks = async (...flags: string[]): Promise<unknown> => {
    const { stdout } = await cli.run(['doctor', 'mail', '--json', ...flags]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string }[] };
    return checks.find(({ name }) => name === 'mail: tasks');
  };
  await add();
  await add();
  expect(await tasks()).toMatchObject({ ok: true });
  await cli.send('DEL', 'duestream:{mail:0}:stream');
  expect(await tasks()).toMatchObject({ ok: false, detail: expect.stringMatching(/^2 are neither/) as string });
  expect(await tasks('--repair')).toMatchObject({ ok: true });
  const { scheduled, due, ready } = await cli.json<Record<string, number>>(['stats', 'mail']);
  expect((scheduled ?? 0) + (due ?? 0) + (ready ?? 0)).toBe(2);
});

test('nobody leads an empty queue, and doctor tells of what it looked at', async () => {
  expect(await cli.json(['leader-status', 'mail'])).toEqual({ leader: null });
  const { stdout, code } = await cli.run(['doctor']);
  expect(stdout).toMatch(/^ok\s+version\s+Redis \d/);
  expect(stdout).toMatch(/WRONG\s+persistence/);
  expect(code).toBe(1);
});

test('doctor tells a risk from what is wrong', async () => {
  await cli.send('CONFIG', 'SET', 'appendonly', 'yes', 'appendfsync', 'everysec');
  const { stdout, code } = await cli.run(['doctor']);
  await cli.send('CONFIG', 'SET', 'appendonly', 'no');
  expect(stdout).toMatch(/risk\s+persistence\s+AOF, fsync everysec: a power loss may cost the last second/);
  expect(code).toBe(0);
});

test('a reader that goes away ends the command quietly', async () => {
  for (let at = 0; at < 40; at += 1) await cli.send('SADD', 'duestream:queues', `queue-${at}`);
  const command = cli.start(['stats']);
  command.process.stdout?.destroy();
  const { code, stderr } = await command.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('--help and --version need no Redis, and say where a password belongs', async () => {
  const { stdout: version } = await cli.run(['--version']);
  expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
  const { stdout: help, code } = await cli.run(['add', '--help']);
  expect(help.replaceAll(/\s+/g, ' ')).toMatch(/A password belongs in the environment/);
  expect(help).toMatch(/Examples:/);
  const { stdout: worker } = await cli.run(['worker', '--help']);
  expect(worker).toMatch(/--handlers .*\[required\]/);
  expect(worker).not.toContain('default: []');
  expect(code).toBe(0);
});
