import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ConnectionOption, doctor, Leader, Queue, Worker } from '../../src/index.js';
import type { RedisServer } from '../../src/redis/embedded.js';
import { freePort } from '../../src/redis/machine.js';
import { Authority, hasOpenssl, type Pair, skipped, tlsFlags } from '../support/certificates.js';
import { EventLog, linkTo, startRedis, until } from '../support/redis.js';

/** Redis over TLS: with a CA of its own, with client certificates, and each way in which that goes wrong. */
const folder = mkdtempSync(join(tmpdir(), 'duestream-tls-'));
const text = (file: string): string => readFileSync(file, 'utf8');

let ca: Authority;
let other: Authority;
let client: Pair;
let strange: Pair;

/** A server whose certificate is that one, on a port for TLS; tests reach it past TLS by its socket file. */
async function startTls(
  pair: Pair,
  clients: 'no' | 'yes' = 'no',
  more: string[] = [],
): Promise<{ server: RedisServer; port: number }> {
  const port = await freePort();
  const args = [...tlsFlags(port, { server: pair, ca, clients }), ...more];
  return { server: await startRedis({ socket: true, args }), port };
}

/** With what is needed, and what more a test gives. */
function over(port: number, socket: Record<string, unknown> = {}, host = 'localhost'): ConnectionOption {
  return { url: `rediss://${host}:${port}`, socket: { ca: ca.text, ...socket } as never };
}

function mutual(port: number): ConnectionOption {
  return over(port, { cert: text(client.cert), key: text(client.key) });
}

/** Why a connection does not come about. */
async function told(connection: ConnectionOption): Promise<string> {
  const log = new EventLog();
  const link = linkTo(connection, { onEvent: log.add });
  link.connected().catch(() => {}); // it never will be
  return (await log.next('connect_failed')).error.message;
}

beforeAll(() => {
  if (!hasOpenssl) return;
  ca = new Authority(folder);
  other = new Authority(folder, 'other-ca');
  client = ca.sign('client');
  strange = other.sign('stranger');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasOpenssl)(`TLS${skipped}`, () => {
  test('a queue, a worker, a leader and the doctor work over it, with a client certificate', async () => {
    const { server, port } = await startTls(ca.sign('redis'), 'yes');
    const connection = mutual(port);
    const queue = new Queue('mail', { connection });
    const ran: string[] = [];
    const errors: unknown[] = [];
    const worker = new Worker('mail', { welcome: ({ id }) => void ran.push(id) }, { connection, leader: 'never' });
    const leader = new Leader('mail', { connection, lockNodes: [connection] });
    onTestFinished(() => Promise.all([worker.stop(), leader.stop(), queue.close()]).then(() => {}));
    for (const station of [worker, leader]) station.on('error', (error) => errors.push(error));
    await Promise.all([worker.start(), leader.start()]);
    await queue.add('welcome', null, { id: 'now' });
    await queue.add('welcome', null, { id: 'later', in: '50ms' });
    await until(() => ran.length === 2, 'both to run');
    expect((await doctor({ connection })).checks.map(({ name }) => name)).toContain('mail: leader');
    expect(await linkTo(server.connection).send(['CLIENT', 'LIST'])).toContain(`laddr=127.0.0.1:${port}`);
    expect(errors).toEqual([]);
  });

  test('a worker goes on when a server that was restarted is back', async () => {
    const { server, port } = await startTls(ca.sign('redis'), 'no', ['--appendonly', 'yes']);
    const connection = over(port);
    const queue = new Queue('mail', { connection });
    const ran: string[] = [];
    const worker = new Worker('mail', { welcome: ({ id }) => void ran.push(id) }, { connection });
    worker.on('error', () => {}); // there is none for a while
    onTestFinished(() => Promise.all([worker.stop(), queue.close()]).then(() => {}));
    await worker.start();
    await queue.add('welcome', null, { id: 'before' });
    await until(() => ran.length === 1, 'the first to run');
    await server.kill('SIGKILL');
    await server.start();
    await queue.add('welcome', null, { id: 'after' });
    await until(() => ran.includes('after'), 'the second to run');
  });

  test('a certificate for another name is right where that name is expected', async () => {
    const { port } = await startTls(ca.sign('redis', { names: 'DNS:redis.internal' }));
    expect(await told(over(port))).toMatch(
      /^its certificate is for other names \(DNS:redis\.internal\): connect by the name in it, or give that as connection\.socket\.servername$/,
    );
    expect(await linkTo(over(port, { servername: 'redis.internal' })).send(['PING'])).toBe('PONG');
  });

  test('what is wrong with the certificates is told in words', async () => {
    const { port } = await startTls(ca.sign('redis'), 'yes');
    const expired = await startTls(ca.sign('expired', { days: -1 }));
    const unknownCa =
      /^its certificate is not from a CA that is known here: give the CA it is from as connection\.socket\.ca \(\w+\)$/;
    expect(await told(`rediss://localhost:${port}`)).toMatch(unknownCa);
    expect(await told(over(port, { ca: other.text }))).toMatch(unknownCa);
    expect(await told(over(expired.port))).toMatch(/^its certificate has expired: renew it, .* \(CERT_HAS_EXPIRED\)$/);
    expect(await told(over(port))).toMatch(/client certificate/);
    expect(await told(over(port, { cert: text(strange.cert), key: text(strange.key) }))).toMatch(/client certificate/);
  });

  test('TLS at a port without, and no TLS at a port with it, are told apart', async () => {
    const { port } = await startTls(ca.sign('redis'));
    const plain = await startRedis({ port: 'free' });
    const noHandshake =
      /no TLS connection came about: .* does it speak TLS at this port\? Use redis:\/\/ where it does not$/;
    expect(await told(over(plain.port ?? 0, { connectTimeout: 100 }))).toMatch(noHandshake);
    const link = linkTo(over(plain.port ?? 0), { commandTimeoutMs: 100 }); // over before that connection is given up
    await expect(link.send(['TIME'])).rejects.toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringMatching(noHandshake) as string,
    });
    const queue = new Queue('mail', { connection: `rediss+cluster://127.0.0.1:${plain.port}`, repeatFor: '3s' });
    onTestFinished(() => queue.close());
    await expect(queue.add('job')).rejects.toThrow(noHandshake);
    for (const url of [`redis://127.0.0.1:${port}`, `redis://me:pa55word@127.0.0.1:${port}/1`]) {
      const message = await told(url);
      expect(message).toMatch(
        /^it closed the connection before it answered: if this port speaks TLS, use rediss:\/\/$/,
      );
      expect(message).not.toContain('pa55word');
    }
  });

  test('a stop in the middle of a handshake that never ends leaves no socket open', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const link = linkTo(over((silent.address() as AddressInfo).port));
    const sent = link.send(['PING']).catch((error: unknown) => error);
    await until(() => sockets.length > 0, 'a connection');
    const closed = once(sockets[0] as Socket, 'close');
    sockets[0]?.on('error', () => {}).resume();
    await link.stop();
    await closed;
    expect(await sent).toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe.skipIf(!hasOpenssl)(`what can be no TLS connection is refused at the door${skipped}`, () => {
  const wrong: readonly (readonly [what: string, option: () => object, says: RegExp])[] = [
    [
      'tls beside the socket',
      () => ({ tls: { ca: ca.text } }),
      /^connection\.tls does nothing: set connection\.socket\.tls/,
    ],
    [
      'tls as an object',
      () => ({ socket: { tls: { ca: ca.text } } }),
      /^connection\.socket\.tls must be true or false, got object/,
    ],
    [
      'a CA without TLS',
      () => ({ url: 'redis://localhost', socket: { ca: ca.text } }),
      /^connection\.socket\.ca is for TLS: use rediss:/,
    ],
    [
      'a CA that is none',
      () => tls({ ca: 'ca.pem' }),
      /^connection\.socket\.ca is not a certificate: expected the text of a PEM file$/,
    ],
    ['one CA of two that is none', () => tls({ ca: [ca.text, 'x'] }), /^connection\.socket\.ca is not a certificate/],
    [
      'a certificate without a key',
      () => tls({ cert: text(client.cert) }),
      /^connection\.socket\.cert and connection\.socket\.key go together/,
    ],
    [
      'a key without a certificate',
      () => tls({ key: text(client.key) }),
      /^connection\.socket\.cert and connection\.socket\.key go together/,
    ],
    [
      'the key of another certificate',
      () => tls({ cert: text(client.cert), key: text(strange.key) }),
      /^connection\.socket\.key is not the key of connection\.socket\.cert$/,
    ],
    [
      'a key that is none',
      () => tls({ cert: text(client.cert), key: 'pa55word' }),
      /^connection\.socket\.key is not a private key/,
    ],
    [
      'a key behind a passphrase',
      () => tls({ cert: text(client.cert), key: ca.encrypted(client) }),
      /^connection\.socket\.key is encrypted: give it decrypted, or its passphrase/,
    ],
  ];
  const tls = (socket: object): object => ({ url: 'rediss://localhost', socket });

  test.each(wrong)('%s', (_what, option, says) => {
    const make = (): Queue => new Queue('mail', { connection: option() as ConnectionOption });
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error);
    expect(make).toThrow(says);
    expect(make).not.toThrow('pa55word');
  });

  test('and the same with its passphrase is not', async () => {
    const key = ca.encrypted(client, 'pa55word');
    const connection = tls({ ca: ca.text, cert: text(client.cert), key, passphrase: 'pa55word' });
    await new Queue('mail', { connection: connection as ConnectionOption }).close();
  });
});
