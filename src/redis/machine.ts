import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { systemClock } from '../clock.js';
import { invalid } from '../errors.js';

/** What the launcher asks of this machine: a server program, a free port, an answer, and somebody to end it all. */

const probeMs = 500;

/** Kills the server when this process is no more, and removes the folder, if it is ours. */
export function guard(pid: number, dir: string | undefined): ChildProcess {
  const script = 'read -r _; kill -9 "$1"; [ -z "$2" ] || rm -rf -- "$2"';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(pid), dir ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as Socket).unref();
  return shell;
}

/** Asks whether it is ready, and who it is; empty when nobody answers. */
export function ask(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const done = (): void => {
      cancel();
      socket.destroy();
      resolve(answer);
    };
    const cancel = systemClock.after(probeMs, done);
    socket.on('error', done);
    socket.on('close', done);
    socket.on('data', (chunk) => {
      answer += String(chunk);
      if (answer.startsWith('-') || answer.includes('process_id:')) done();
    });
    socket.write('PING\r\nINFO server\r\n');
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

export async function findServer(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      const path = join(folder, name);
      const found = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return path;
    }
  }
  throw invalid(
    'no redis-server or valkey-server on the PATH. Install one: apt-get install redis-server, or brew install redis',
  );
}
