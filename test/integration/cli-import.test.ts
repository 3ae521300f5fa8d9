import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CommandLine } from '../support/cli.js';

/** Files of tasks: the good lines are added, the bad ones told of by their number. */
const cli = new CommandLine();

beforeAll(() => cli.startRedis());
beforeEach(() => cli.send('FLUSHALL'));
afterAll(() => cli.close());

interface Imported {
  read: number;
  added: number;
  scheduled: number;
  ready: number;
  duplicates: number;
  refused: number;
  errors: { line: number; message: string }[];
}

async function importing(stdin: string | Buffer): Promise<{ code: number | null; stderr: string; result: Imported }> {
  const { code, stdout, stderr } = await cli.run(['import', 'mail', '--json'], { stdin });
  return { code, stderr, result: JSON.parse(stdout) as Imported };
}

test('lines take all that add takes', async () => {
  const lines = [
    '{"name":"a"}',
    '{"name":"b","payload":{"n":[]},"id":"b-1","in":"5m","maxAttempts":3,"timeout":"30s"}',
    '{"name":"c","at":"2099-01-01T00:00Z","backoff":{"type":"fixed","delay":"1s"}}',
    '{"name":"d","atMs":4070937600000,"expiresIn":"1h"}',
    '',
    '{"name":"b","id":"b-1"}',
  ];
  const { code, stderr, result } = await importing(lines.join('\r\n'));
  expect(result).toEqual({ read: 5, added: 4, scheduled: 3, ready: 1, duplicates: 1, refused: 0, errors: [] });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(await cli.json(['task', 'get', 'mail', 'b-1'])).toMatchObject({ name: 'b', payload: { n: [] } });
});

test('bad lines are refused by number, good ones around them are added: exit code 6', async () => {
  const bad: [string, RegExp][] = [
    ['garbage', /not JSON/],
    ['[1]', /not an object/],
    ['{"payload":1}', /no "name"/],
    ['{"name":"a","soon":1}', /unknown field "soon"/],
    ['{"name":"a","in":"-5"}', /in must be a duration/],
    ['{"name":"a","at":"2027-01-01"}', /must say its offset/],
    ['{"name":"a","in":"1s","atMs":1}', /only one of in and atMs/],
    ['{"name":"a","payload":9007199254740993}', /it has a number with more digits/],
    ['{"name":"a","atMs":1798859040}', /at looks like seconds/],
    ['{"name":""}', /name must not be empty/],
    [`{"name":"a","id":"${'x'.repeat(300)}"}`, /id must be at most 256 bytes/],
    ['{"name":"a","maxAttempts":0}', /maxAttempts must be/],
    [`{"name":"a","payload":"${'x'.repeat(1024 * 1024)}"}`, /payload must be at most 1048576 bytes/],
  ];
  const lines = bad.flatMap(([line]) => ['{"name":"good"}', line]);
  const { code, stderr, result } = await importing(`${lines.join('\n')}\n`);
  expect(result).toMatchObject({ read: 26, added: 13, refused: 13 });
  expect(result.errors.map(({ line }) => line)).toEqual(bad.map((_, at) => 2 * at + 2));
  bad.forEach(([, says], at) => expect(result.errors[at]?.message).toMatch(says));
  expect(stderr.trimEnd().split('\n')).toHaveLength(13);
  expect(code).toBe(6);
  expect(await cli.json(['stats', 'mail'])).toMatchObject({ ready: 13 });
});

test('bytes that are no text are refused, and a mark at the start is no part of the first line', async () => {
  const text = Buffer.concat([Buffer.from('\ufeff{"name":"a"}\n{"name":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
  const { result } = await importing(text);
  expect(result).toMatchObject({ read: 2, added: 1, errors: [{ line: 2, message: 'it is not UTF-8' }] });
});

test('of very many bad lines the first are printed and the rest is counted', async () => {
  const { code, stderr, result } = await importing('garbage\n'.repeat(3_000));
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('duestream: and 2980 more lines refused');
  expect(result.errors).toHaveLength(1_000);
  expect(result.refused).toBe(3_000);
  expect(code).toBe(6);
});

test('a line without an end is not gathered in memory', async () => {
  const { code, result } = await importing(
    Buffer.concat([Buffer.alloc(40_000_000, 'x'), Buffer.from('\n{"name":"a"}')]),
  );
  expect(result).toMatchObject({ read: 2, added: 1, refused: 1 });
  expect(code).toBe(6);
});

test('a large file with bad lines spread over its batches loses none of the good ones', async () => {
  const lines = Array.from({ length: 5_000 }, (_, at) =>
    at % 97 === 0 ? '{"name":""}' : `{"name":"a","id":"t-${at}"}`,
  );
  writeFileSync(join(cli.folder, 'tasks.ndjson'), lines.join('\n'));
  const first = await cli.run(['import', 'mail', 'tasks.ndjson', '--json']);
  const refused = Math.ceil(5_000 / 97);
  expect(JSON.parse(first.stdout)).toMatchObject({ read: 5_000, added: 5_000 - refused, duplicates: 0, refused });
  const again = await cli.run(['import', 'mail', 'tasks.ndjson', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ added: 0, duplicates: 5_000 - refused, refused });
  expect(await cli.json(['stats', 'mail'])).toMatchObject({ ready: 5_000 - refused });
});

test('told to stop while it waits for more, it adds what it read: exit code 143', async () => {
  const command = cli.start(['import', 'mail', '--json']);
  command.process.stdin?.write('{"name":"a"}\n{"name":\n');
  await command.says(/line 2 refused/);
  command.kill('SIGTERM');
  const { code, stdout } = await command.ended;
  expect(JSON.parse(stdout)).toMatchObject({ read: 2, added: 1, refused: 1 });
  expect(code).toBe(143);
});
