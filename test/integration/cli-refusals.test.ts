import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { atTheDoor } from '../support/at-the-door.js';
import { CommandLine } from '../support/cli.js';

/** Bad input: the right exit code, one line on stderr that says what to do, and nothing in Redis. */
const cli = new CommandLine();

const modules: Readonly<Record<string, string>> = {
  'good.mjs': 'export default { welcome: async () => {} };',
  'throws.mjs': 'throw new Error("no database\\nsecond line");',
  'syntax.mjs': 'export default {',
  'package.json': '{"type":"commonjs"}',
  'common.js': 'export default { welcome: async () => {} };',
  'nothing.mjs': 'export const welcome = 1;',
  'empty.mjs': 'export default {};',
  'number.mjs': 'export default { welcome: 5 };',
  'hangs.mjs': 'await new Promise(() => {});',
  'needs.mjs': 'import "a-package-that-is-not-there";',
  'typed.ts': 'export default { welcome: (task: unknown): void => {} };',
};

beforeAll(async () => {
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(cli.folder, name), text);
  writeFileSync(join(cli.folder, 'latin.yaml'), Buffer.from('schedules: { caf\xe9: 1 }', 'latin1'));
  await cli.startRedis();
});
beforeEach(() => cli.send('FLUSHALL'));
afterAll(() => cli.close());

type Case = readonly [argv: string[], says: RegExp, stdin?: string];

const usage: readonly Case[] = [
  [[], /name a verb; see duestream --help/],
  [['frobnicate'], /unknown verb "frobnicate"/],
  [['ad', 'mail'], /unknown verb "ad"; did you mean "add"/],
  [['task', 'gt', 'mail', 'a'], /unknown verb "gt"; did you mean "task get"/],
  [['task'], /name a verb of task/],
  [['add', 'mail'], /an argument is missing: duestream add <queue> <name> \[payload\]/],
  [['add', 'mail', 'welcome', '{}', 'more'], /unexpected argument "more"/],
  [['add', 'mail', 'welcome', '--soon'], /unknown flag --soon; see duestream add --help/],
  [['add', 'mail', 'welcome', '-x'], /unknown flag -x/],
  [['add', 'mail', 'welcome', '--queue', 'other'], /unknown flag --queue/],
  [['add', 'mail', 'welcome', '--in', '-5'], /must be a duration such as .* got "-5"/],
  [['add', 'mail', 'welcome', '--in=-5'], /must be a duration such as .* got "-5"/],
  [['add', 'mail', 'welcome', '--in', '5'], /^duestream: --in needs a unit, such as 5s/],
  [['add', 'mail', 'welcome', '--at-ms', '1798859040'], /^duestream: --at-ms looks like seconds since 1970/],
  [['add', 'mail', 'welcome', '--expires-in', 'soon'], /^duestream: --expires-in must be a duration/],
  [['add', 'mail', 'welcome', '--in'], /--in needs a value/],
  [['add', 'mail', 'welcome', '--in', '1s', '--in', '2s'], /give --in only once/],
  [['add', 'mail', 'welcome', '--at', '2027-01-01'], /must say its offset, such as/],
  [['add', 'mail', 'welcome', '--at-ms', 'noon'], /--at-ms must be a whole number/],
  [['add', 'mail', 'welcome', '--in', '5m', '--at', '2027-01-01T09:00Z'], /give only one of --in and --at/],
  [['add', 'mail', 'welcome', '--at', '2027-01-01T09:00Z', '--at-ms', '1'], /give only one of --at and --at-ms/],
  [['add', 'mail', 'welcome', '--max-attempts', '0'], /--max-attempts must be a whole number from 1/],
  [['add', 'mail', 'welcome', '--backoff', 'slowly'], /--backoff must look like fixed:10s/],
  [['add', 'mail', 'welcome', '--backoff', 'exponential:1'], /^duestream: --backoff: delay needs a unit/],
  [['add', 'mail', 'welcome', '--id', ''], /^duestream: --id must not be empty/],
  [['add', 'mail', 'welcome', 'hello'], /the payload is not JSON: write text as/],
  [['add', 'mail', 'welcome', '-'], /the payload is not JSON/, '{"to":'],
  [
    ['add', 'mail', 'welcome', '{"id":9007199254740993}'],
    /the payload has a number with more digits than .* as a string/,
  ],
  [['add', 'mail', 'welcome', '["\\"",-12345678901234567890]'], /the payload has a number with more digits/],
  [['add', 'mail', 'welcome', '-'], /at most 1048576 bytes/, JSON.stringify('x'.repeat(1024 * 1024))],
  [['add', 'mail', 'welcome', '-'], /the payload on stdin is longer/, 'x'.repeat(9 * 1024 * 1024)],
  [['add', 'a queue', 'welcome'], /a queue name is/],
  [['add', 'mail', ''], /name must not be empty/],
  [['add', 'mail', 'welcome', '--prefix', 'a b'], /prefix must be/],
  [['add', 'mail', 'welcome', '--redis', 'localhost'], /--redis must be a URL such as/],
  [
    ['add', 'mail', 'welcome', '--redis', 'redis+sentinel://h:1,h:2'],
    /--redis must name Sentinels and the master, as in/,
  ],
  [['add', 'mail', 'welcome', '--redis', 'redis+sentinel://h:x,h/m'], /host 1 of the list is not host, host:port/],
  [['verify', '--redis', 'redis+sentinel://h:1,h:2/m'], /name one server, or --replicated, or --cluster/],
  [['verify', '--cluster', '--redis', 'redis://h'], /--cluster starts a Redis of its own: leave out --redis/],
  [['verify', '--cluster', '--replicated'], /two kinds of Redis: name one/],
  [['verify', '--cluster', '--durability', 'disk'], /--durability must be one of memory, replicated/],
  [['verify', '--durability', 'memory'], /--durability is for --cluster/],
  [['verify', '--cluster', '--min-replicas', '1'], /--min-replicas is for --replicated/],
  [['stats', '--redis', 'redis+cluster://'], /--redis must name nodes of the cluster, as in/],
  [['stats', '--redis', 'redis+cluster://h:1/2'], /a Redis Cluster has the database 0 and no other/],
  [['leader', 'mail', '--lock-nodes', 'redis+cluster://a:1'], /--lock-nodes takes the URLs of single Redis servers/],
  [['task', 'list', 'mail', '--state', 'asleep'], /--state must be one of scheduled, ready/],
  [['task', 'list', 'mail', '--limit', '0'], /--limit must be a whole number/],
  [['task', 'reschedule', 'mail', 'a'], /say when: --in, --at or --at-ms/],
  [['dead', 'purge', 'mail'], /say which letter, or --all/],
  [['dead', 'purge', 'mail', 'a', '--all'], /a letter or --all, not both/],
  [['stats', '--watch', '--json'], /give one of them/],
  [['import', 'mail', 'nowhere.ndjson'], /no such file: nowhere.ndjson/],
  [['import', 'mail', '.'], /is a directory/],
  [['worker', 'mail'], /--handlers is missing; see duestream worker --help/],
  [['worker', 'mail', '--handlers', 'nowhere.js'], /no handlers module at .*nowhere.js/],
  [['worker', 'mail', '--handlers', '.'], /is a directory: name the module itself/],
  [['worker', 'mail', '--handlers', 'throws.mjs'], /throws.mjs fails to load: no database second line/],
  [['worker', 'mail', '--handlers', 'syntax.mjs'], /syntax.mjs fails to load: SyntaxError/],
  [['worker', 'mail', '--handlers', 'needs.mjs'], /needs.mjs fails to load: .*a-package-that-is-not-there/],
  [['worker', 'mail', '--handlers', 'nothing.mjs'], /nothing.mjs has no default export: write export default/],
  [['worker', 'mail', '--handlers', 'empty.mjs'], /must map task names to functions/],
  [['worker', 'mail', '--handlers', 'number.mjs'], /the handler of "welcome" must be a function/],
  [['worker', 'mail', '--handlers', 'good.mjs', '--concurrency', 'many'], /--concurrency must be a whole number/],
  [['worker', 'mail', '--handlers', 'good.mjs', '--lease', '30'], /^duestream: --lease needs a unit/],
  [['worker', 'mail', '--handlers', 'good.mjs', '--leader', 'maybe'], /--leader must be one of allow, never, only/],
  [['worker', 'mail', '--handlers', 'good.mjs', '--metrics-port', '99999'], /--metrics-port must be a whole number/],
  [['worker', 'mail', '--handlers', 'good.mjs', '--metrics-host', '::1'], /goes with --metrics-port/],
  [['leader', 'mail', '--lock-ttl', '1ms'], /^duestream: --lock-ttl must be/],
  [['leader', 'mail', '--lock-nodes', 'redis://a,redis://b'], /an odd number of Redis servers/],
  [['leader', 'mail', '--lock-nodes', 'redis+sentinel://a,b/m'], /--lock-nodes takes the URLs of single Redis servers/],
  [['schedule'], /name a verb of schedule/],
  [['schedule', 'create', 'mail', 'n'], /an argument is missing: duestream schedule create <queue> <schedule> <name>/],
  [create(), /give --cron, --every or --at: when it shall run/],
  [create('--cron', '0', '3', 'a', 'b', 'c'), /unexpected argument "a, b, c": put the pattern of --cron in quotes;/],
  [create('hello', '--every', '1h'), /the payload is not JSON: write text as/],
  [create('-', '--every', '1h'), /the payload is not JSON/, '{"to":'],
  [create('{"id":9007199254740993}', '--every', '1h'), /the payload has a number with more digits/],
  [create('--every', '1h', '--id', 'x'), /unknown flag --id; see duestream schedule create --help/],
  [create('--every', '1h', '--expires-at', '2027-01-01T09:00Z'), /unknown flag --expires-at/],
  [create('--cron', '61 3 * * *'), /^duestream: --cron must be a pattern/],
  [create('--cron', '61 3 * * *', '--replace'), /^duestream: --cron must be a pattern/],
  [create('--every', '1h', '--tz', 'UTC'), /^duestream: --tz belongs to cron/],
  [create('--every', '1h', '--catch-up', 'some'), /--catch-up must be skip, one, all or all:N, got "some"/],
  [create('--every', '1h', '--catch-up', 'all:'), /--catch-up must be skip, one, all or all:N, got "all:"/],
  [
    create('--every', '1h', '--catch-up', 'all:0'),
    /^duestream: --catch-up: all must be a whole number from 1 to 100000/,
  ],
  [
    create('--every', '1h', '--overlap', 'bufferOne'),
    /--overlap must be one of allow, skip, buffer-one, cancel-other,/,
  ],
  [create('--every', '1h', '--overlap', 'constructor'), /--overlap must be one of allow/],
  [create('--every', '1h', '--overlap', 'buffer-all:9999'), /^duestream: --overlap: bufferAll must be .* to 1000/],
  [create('--every', '1h', '--window', '5s'), /^duestream: --window must be from 10s/],
  [create('--every', '1h', '--limit', '0'), /--limit must be a whole number from 1/],
  [create('--every', '1h', '--pause-after', 'two'), /--pause-after must be a whole number/],
  [create('--every', '1h', '--version', '0'), /--version must be a whole number from 1/],
  [
    create('--every', '1h', '--version', '2', '--replace'),
    /--replace takes the version that comes next: leave out --version/,
  ],
  [create('--every', '1h', '--max-attempts', '0'), /--max-attempts must be a whole number from 1/],
  [create('--every', '1h', '--timeout', '30'), /^duestream: --timeout needs a unit/],
  [create('--every', '1h', '--key', ''), /^duestream: --key must not be empty/],
  [['schedule', 'create', 'mail', '', 'report', '--every', '1h'], /name must not be empty/],
  [
    ['schedule', 'pause', 'mail', 'n', '--note', 'x'.repeat(1_001)],
    /^duestream: --note must be text of at most 1000 bytes/,
  ],
  [['schedule', 'backfill', 'mail', 'n'], /schedule backfill needs --from/],
  [['schedule', 'backfill', 'mail', 'n', '--from', 'monday'], /^duestream: --from must be a Date, .* got "monday"/],
  [
    ['schedule', 'backfill', 'mail', 'n', '--from', '2026-01-02T00:00Z', '--to', '2026-01-01T00:00Z'],
    /^duestream: --to must be later than from/,
  ],
  [['schedule', 'backfill', 'mail', 'n', '--from', '2026-01-02T00:00Z', '--per-second', '0'], /--per-second must be/],
  [['schedule', 'apply', 'mail'], /an argument is missing: duestream schedule apply <queue> <file>/],
  [['schedule', 'apply', 'mail', 'nowhere.yaml'], /no such file: nowhere.yaml/],
  [['schedule', 'apply', 'mail', '.'], /is a directory: name a file of schedules/],
  [['schedule', 'apply', 'mail', '-'], /the file on stdin has no schedules/],
  [['schedule', 'apply', 'mail', '-'], /the file on stdin is longer than/, 'x'.repeat(9 * 1024 * 1024)],
  [['schedule', 'apply', 'mail', 'latin.yaml'], /latin.yaml is not text in UTF-8/],
];

function create(...more: string[]): string[] {
  return ['schedule', 'create', 'mail', 'n', 'report', ...more];
}

/** What reads its input, and what loads a module that is not well; the rest is told at the door. */
function needsProcess({ argv, stdin }: { argv: readonly string[]; stdin?: string | undefined }): boolean {
  return stdin !== undefined || argv.includes('-') || (argv.includes('--handlers') && !argv.includes('good.mjs'));
}

const oneLine = /^duestream: [^\n]+\n$/;

describe('a usage error is one line, exit code 2, and writes nothing', () => {
  test.each(usage.map(([argv, says, stdin]) => ({ argv, says, stdin, line: argv.join(' ') })))('$line', async (row) => {
    const { argv, says, stdin } = row;
    const { code, stdout, stderr } = needsProcess(row)
      ? await cli.run(argv, stdin === undefined ? {} : { stdin })
      : await atTheDoor(argv, cli);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(says);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(await cli.send('DBSIZE')).toBe(0);
  });
});

test('a usage error does not even connect', async () => {
  const { code } = await cli.run(['add', 'mail', 'welcome', 'hello'], {
    env: { DUESTREAM_REDIS_URL: 'redis://127.0.0.1:1' },
  });
  expect(code).toBe(2);
});

test('a module in a folder of CommonJS is told how to be one', async () => {
  const { code, stderr } = await cli.run(['worker', 'mail', '--handlers', 'common.js']);
  expect(stderr).toMatch(/common.js fails to load: .*; name it .mjs, or set "type": "module" in package.json\n$/);
  expect(code).toBe(2);
});

test('a handlers module that never finishes loading is told of, and does not end well', async () => {
  const { code, stderr } = await cli.run(['worker', 'mail', '--handlers', 'hangs.mjs']);
  expect(stderr).toMatch(/promise that never settles/);
  expect(code).toBe(1);
});

test('a TypeScript module either loads or says what is missing', async () => {
  const command = cli.start(['worker', 'mail', '--handlers', 'typed.ts']);
  const stripsTypes = 'typescript' in process.features && Boolean(process.features.typescript);
  await command.says(stripsTypes ? /worker started/ : /can't load .*typed.ts: use Node 22.18/);
});

test('an unknown id is exit code 3', async () => {
  for (const argv of [
    ['task', 'get', 'mail', 'x'],
    ['task', 'cancel', 'mail', 'x'],
    ['task', 'run', 'mail', 'x'],
    ['task', 'reschedule', 'mail', 'x', '--in', '1s'],
    ['dead', 'show', 'mail', 'x'],
    ['dead', 'replay', 'mail', 'x'],
    ['dead', 'purge', 'mail', 'x'],
  ]) {
    const { code, stderr, stdout } = await atTheDoor(argv, cli);
    expect([argv, code, stdout]).toEqual([argv, 3, '']);
    expect(stderr).toMatch(oneLine);
  }
});

test('a password is never printed', async () => {
  const argv = ['stats', '--redis', 'redis://someone:hunter2secret@127.0.0.1:1'];
  for (const more of [[], ['--frobnicate']]) {
    const { stdout, stderr } = await atTheDoor([...argv, ...more], cli);
    expect(stdout + stderr).not.toContain('hunter2secret');
  }
  const wrong = 'redis+sentinel://someone:hunter2secret@h1:1,h2:2/my master';
  for (const address of [wrong, 'redis+sentinel://:hunter2secret,h2:2/m']) {
    const { stdout, stderr } = await atTheDoor(['stats', '--redis', address], cli);
    expect(stdout + stderr).not.toContain('hunter2secret');
  }
  const { stdout, stderr } = await cli.run(['stats', '--redis', 'hunter2secret@nowhere']);
  expect(stdout + stderr).not.toContain('hunter2secret');
});

test('a key of the wrong type in the way: exit code 1, and the key stays as it was', async () => {
  await cli.send('SET', 'duestream:{mail:0}:tasks', 'a string');
  const { code, stderr } = await cli.run(['add', 'mail', 'welcome']);
  expect(stderr).toMatch(oneLine);
  expect(stderr).toMatch(/WRONGTYPE|wrong type/i);
  expect(code).toBe(1);
  expect(await cli.send('GET', 'duestream:{mail:0}:tasks')).toBe('a string');
});
