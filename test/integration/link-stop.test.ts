import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createClient } from 'redis';
import { expect, test } from 'vitest';
import type { ConnectionOption } from '../../src/redis/connection.js';
import { Link } from '../../src/redis/link.js';
import { CountingClock } from '../support/counting-clock.js';
import { until, useRedis } from '../support/redis.js';

const redis = useRedis();
const nowhere = 'redis://127.0.0.1:1';

test('a stopped link leaves no socket and no timer, in whatever state it was', async () => {
  const clock = new CountingClock();
  const mute = createServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const met = once(mute, 'connection');
  const { port } = mute.address() as { port: number };
  const link = (purpose: string, connection: ConnectionOption): Link => new Link({ connection, purpose, clock });
  const states = [
    link('up', redis().connection),
    link('connecting', redis().connection),
    link('refused', nowhere),
    link('refused, by a function', () => createClient({ url: nowhere })),
    link('connecting, by a function', () => createClient({ socket: { path: redis().socketPath ?? '' } })),
    link('waiting for TLS', { socket: { host: '127.0.0.1', port, tls: true, connectTimeout: 60_000 } }),
    link('never used', redis().connection),
  ];
  await states[0]?.connected();
  const withOne = sockets();
  for (const link of states.slice(1, -1)) void link.send(['PING']).catch(() => {});
  expect(clock.pending).toBeGreaterThan(0);
  await met;
  await Promise.all(states.map((link) => link.stop()));
  expect(clock.pending).toBe(0);
  mute.close();
  await until(() => sockets() === withOne - 1, 'no socket is left');
});

test('a process that only waits for a dead Redis lives until it has the error', async () => {
  const link = new URL('../../dist/redis/link.js', import.meta.url).href;
  const script = `
    const { Link } = await import(${JSON.stringify(link)});
    const link = new Link({ connection: '${nowhere}', purpose: 'commands' });
    await link.send(['PING'], { timeoutMs: 300 }).catch((error) => console.log(error.code));
    await link.stop();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = child.stdout.toArray();
  const [exitCode] = (await once(child, 'exit')) as [number];
  expect([String(Buffer.concat(await said)).trim(), exitCode]).toEqual(['ERR_REDIS_UNREACHABLE', 0]);
});

function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(?:TCP|Pipe)(?:Socket|Connect)?Wrap$/.test(kind)).length;
}
