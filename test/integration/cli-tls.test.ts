import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/redis/machine.js';
import { Authority, hasOpenssl, type Pair, skipped, tlsFlags } from '../support/certificates.js';
import { CommandLine } from '../support/cli.js';

/** The command line against a Redis that speaks TLS and wants to see a client certificate. */
const cli = new CommandLine();
const oneLine = /^duestream: [^\n]+\n$/;

let ca: Authority;
let client: Pair;
let port = 0;

beforeAll(async () => {
  if (!hasOpenssl) return;
  ca = new Authority(cli.folder);
  client = ca.sign('client');
  new Authority(cli.folder, 'other-ca');
  port = await freePort();
  const server = ca.sign('redis', { names: 'DNS:localhost,DNS:redis.internal' });
  await cli.startRedis(...tlsFlags(port, { server, ca, clients: 'yes' }));
  writeFileSync(
    join(cli.folder, 'handlers.mjs'),
    'export default { welcome: (task, { log }) => log(`for ${task.payload}`) };',
  );
});
afterAll(() => cli.close());

const env = (host = 'localhost', of: Record<string, string> = {}): { env: Record<string, string> } => ({
  env: { DUESTREAM_REDIS_URL: `rediss://${host}:${port}`, ...of },
});
const flags = (): string[] => ['--tls-ca', ca.cert, '--tls-cert', client.cert, '--tls-key', client.key];
const inEnvironment = (): Record<string, string> => ({
  DUESTREAM_TLS_CA: ca.cert,
  DUESTREAM_TLS_CERT: client.cert,
  DUESTREAM_TLS_KEY: client.key,
});

describe.skipIf(!hasOpenssl)(`with certificates${skipped}`, () => {
  test('a worker, a leader and the verbs reach Redis, told by flags or by the environment', async () => {
    const node = `rediss://localhost:${port}`;
    const worker = cli.start(
      ['worker', 'mail', '--handlers', './handlers.mjs', '--leader', 'never', ...flags()],
      env(),
    );
    const leader = cli.start(['leader', 'mail', '--lock-nodes', node], env('localhost', inEnvironment()));
    const added = await cli.run(['add', 'mail', 'welcome', '"ann"', '--in', '50ms', ...flags()], env());
    expect(added).toMatchObject({ code: 0, stderr: '' });
    await worker.says(/mail: welcome \S+: for ann/);
    await leader.says(/mail: leads, term/);
    expect(await cli.json(['stats', 'mail'], env('localhost', inEnvironment()))).toMatchObject({ queue: 'mail' });
    for (const role of [worker, leader]) role.kill('SIGTERM');
    expect([(await worker.ended).code, (await leader.ended).code]).toEqual([0, 0]);
  });

  test('the name in the certificate may be another than the host of the URL', async () => {
    const wrong = await cli.run(['stats', ...flags()], env('127.0.0.1'));
    expect(wrong.stderr).toMatch(/its certificate is for other names \(.*\): .*, or give that as --tls-servername\n$/);
    expect(wrong.code).toBe(69);
    const { code } = await cli.run(['stats', ...flags(), '--tls-servername', 'redis.internal'], env('127.0.0.1'));
    expect(code).toBe(0);
  });
});

describe.skipIf(!hasOpenssl)(`what goes wrong is one line${skipped}`, () => {
  const unreachable: { what: string; argv: () => string[]; says: RegExp; scheme?: string }[] = [
    {
      what: 'no CA',
      argv: () => ['stats'],
      says: /not from a CA that is known here: give the CA it is from as --tls-ca \(\w+\)\n$/,
    },
    {
      what: 'another CA',
      argv: () => ['stats', '--tls-ca', join(cli.folder, 'other-ca.crt')],
      says: /give the CA it is from as --tls-ca/,
    },
    {
      what: 'no client certificate',
      argv: () => ['stats', '--tls-ca', ca.cert],
      says: /client certificate.*--tls-cert and --tls-key/,
    },
    {
      what: 'no TLS',
      argv: () => ['add', 'mail', 'welcome'],
      says: /if this port speaks TLS, use rediss:\/\/\n$/,
      scheme: 'redis',
    },
  ];
  test.each(unreachable)('$what: exit code 69', async ({ argv, says, scheme = 'rediss' }) => {
    const { code, stdout, stderr } = await cli.run(argv(), {
      env: { DUESTREAM_REDIS_URL: `${scheme}://me:pa55word@localhost:${port}` },
    });
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/start Redis|pa55word/);
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
  });

  test('a role says why Redis is unreachable, once', async () => {
    const leader = cli.start(['leader', 'mail', '--tls-ca', join(cli.folder, 'other-ca.crt')], env());
    const why =
      /Redis at localhost:\d+ is unreachable: its certificate is not from a CA that is known here: give the CA it is from as --tls-ca \(\w+\); waiting for it\n/;
    await leader.says(why);
    leader.kill('SIGTERM');
    const { code, stderr } = await leader.ended;
    expect(stderr.match(/certificate/g)).toHaveLength(1);
    expect(code).toBe(0);
  });
});

describe.skipIf(!hasOpenssl)(`a usage error of TLS is one line and exit code 2${skipped}`, () => {
  const key = (): string => client.key;
  const usage: readonly (readonly [argv: () => string[], says: RegExp, more?: () => Record<string, string>])[] = [
    [() => ['stats', '--tls-ca', 'nowhere.pem'], /--tls-ca: no such file: nowhere\.pem/],
    [() => ['stats', '--tls-ca', '.'], /--tls-ca: can't read \.: EISDIR/],
    [() => ['stats', '--tls-ca', key()], /--tls-ca is not a certificate: expected the text of a PEM file/],
    [() => ['stats', '--tls-cert', client.cert], /--tls-cert goes with its key: give --tls-key/],
    [() => ['stats', '--tls-key', key()], /--tls-key goes with its certificate: give --tls-cert/],
    [() => ['stats', '--tls-cert', ca.cert, '--tls-key', key()], /--tls-key is not the key of --tls-cert/],
    [() => ['stats', '--tls-cert', client.cert, '--tls-key', ca.cert], /--tls-key is not a private key/],
    [
      () => ['stats', '--tls-ca', ca.cert, '--redis', 'redis://localhost'],
      /--tls-ca is for TLS, and the address of Redis is without/,
    ],
    [
      () => ['stats', '--redis', 'redis://localhost'],
      /DUESTREAM_TLS_CA is for TLS/,
      () => ({ DUESTREAM_TLS_CA: ca.cert }),
    ],
    [() => ['stats'], /DUESTREAM_TLS_CA: no such file: nowhere\.pem/, () => ({ DUESTREAM_TLS_CA: 'nowhere.pem' })],
    [() => ['add', 'mail', 'welcome', '--tls-ca'], /--tls-ca needs a value/],
    [() => ['worker', 'mail', '--handlers', './handlers.mjs', '--tls-ca', 'nowhere.pem'], /no such file/],
    [() => ['demo', '--tls-ca', 'ca.crt'], /unknown flag --tls-ca/],
  ];
  test.each(usage.map(([argv, says, more]) => ({ argv, says, more })))(
    'case %#',
    async ({ argv, says, more = () => ({}) }) => {
      const { code, stdout, stderr } = await cli.run(argv(), env('localhost', more()));
      expect(stderr).toMatch(oneLine);
      expect(stderr).toMatch(says);
      expect(stderr).not.toContain(readFileSync(key(), 'utf8').slice(40, 60));
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    },
  );
});
