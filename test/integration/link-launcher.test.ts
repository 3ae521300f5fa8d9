import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { launchRedis } from '../../src/testing.js';
import { linkTo, startRedis, until } from '../support/redis.js';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('starts a server on a socket, or on a free port, or on both', async () => {
  const [socket, port, both] = await Promise.all([
    startRedis(),
    startRedis({ port: 'free' }),
    startRedis({ port: 'free', socket: true }),
  ]);
  expect(socket).toMatchObject({ port: undefined, url: `unix://${socket.socketPath}` });
  expect(port).toMatchObject({ socketPath: undefined, url: `redis://127.0.0.1:${port.port}` });
  for (const connection of [
    socket.connection,
    socket.url,
    port.connection,
    port.url,
    both.connection,
    `redis://127.0.0.1:${both.port}`,
  ]) {
    expect(await linkTo(connection).send(['PING'])).toBe('PONG');
  }
});

test('keeps address and folder through kill and restart, and data as the append-only file says', async () => {
  const server = await startRedis({ appendonly: 'always' });
  const { url, pid } = server;
  await linkTo(url).send(['SET', 'kept', 'yes']);
  await server.kill('SIGKILL');
  expect(isAlive(pid)).toBe(false);
  await server.restart();
  expect(server.pid).not.toBe(pid);
  expect([server.url, await linkTo(url).send(['GET', 'kept'])]).toEqual([url, 'yes']);
});

test('leaves nothing when it is stopped, frozen or not, and can be stopped twice', async () => {
  const server = await launchRedis();
  const { pid, dir } = server;
  await server.kill('SIGSTOP');
  await server.stop();
  await server.stop();
  expect([isAlive(pid), existsSync(dir)]).toEqual([false, false]);
});

test('leaves a folder that was given to it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'duestream-given-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  await using server = await launchRedis({ dir });
  await server.stop();
  expect(existsSync(dir)).toBe(true);
});

test('says why a server did not start, and how to get one', async () => {
  await expect(launchRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(/no-such-option/);
  await expect(launchRedis({ binary: 'no-such-server' })).rejects.toThrow(/no-such-server could not be started/);
  const path = process.env['PATH'];
  onTestFinished(() => {
    process.env['PATH'] = path;
  });
  process.env['PATH'] = '';
  await expect(launchRedis()).rejects.toThrow(/apt-get install redis-server.*brew install redis/);
});

test('a port that another server holds is not taken for its own', async () => {
  const other = await startRedis({ port: 'free' });
  await expect(launchRedis({ port: other.port ?? 0 })).rejects.toThrow(/did not start.*in use/s);
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as { port: number };
  await expect(launchRedis({ port })).rejects.toThrow(/did not start/);
});

test.each(['SIGKILL', 'SIGTERM'] as const)('a server does not outlive a parent that %s ends', async (signal) => {
  const testing = new URL('../../dist/testing.js', import.meta.url).href;
  const script = `
    const { launchRedis } = await import(${JSON.stringify(testing)});
    const { pid, dir } = await launchRedis();
    console.log(JSON.stringify({ pid, dir }));
    (await import('node:net')).createServer().listen(0, '127.0.0.1'); // lives on`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const { pid, dir } = JSON.parse(String(line)) as { pid: number; dir: string };
  expect(isAlive(pid)).toBe(true);
  parent.kill(signal);
  await until(() => !isAlive(pid) && !existsSync(dir), 'server and folder are gone');
});
