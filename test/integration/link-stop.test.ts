import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createClient } from 'redis';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.js';
import type { ConnectionOption } from '../../src/redis/connection.js';
import { Link } from '../../src/redis/link.js';
import { until, useRedis } from '../support/redis.js';

const redis = useRedis();
const nowhere = 'redis://127.0.0.1:1';

test('a stopped link leaves no socket and no timer, in whatever state it was', async () => {
  const clock = new CountingClock();
  const link = (purpose: string, connection: ConnectionOption): Link => new Link({ connection, purpose, clock });
  const states = [
    link('up', redis().connection),
    link('connecting', redis().connection),
    link('refused', nowhere),
    link('refused, by a function', () => createClient({ url: nowhere })),
    link('connecting, by a function', () => createClient({ socket: { path: redis().socketPath ?? '' } })),
    link('never used', redis().connection),
  ];
  await states[0]?.connected();
  const withOne = sockets();
  for (const link of states.slice(1, -1)) void link.send(['PING']).catch(() => {});
  expect(clock.pending).toBeGreaterThan(0);
  await Promise.all(states.map((link) => link.stop()));
  expect(clock.pending).toBe(0);
  await until(() => sockets() === withOne - 1, 'no socket is left');
});

test('a process that only waits for a dead Redis lives until it has the error', async () => {
  const link = new URL('../../dist/redis/link.js', import.meta.url).href;
  const script = `
    const { Link } = await import(${JSON.stringify(link)});
    const link = new Link({ connection: '${nowhere}', purpose: 'commands' });
    await link.send(['PING'], { timeoutMs: 300 }).catch((error) => console.log(error.code));
    await link.stop();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = child.stdout.toArray();
  const [exitCode] = (await once(child, 'exit')) as [number];
  expect([String(Buffer.concat(await said)).trim(), exitCode]).toEqual(['ERR_REDIS_UNREACHABLE', 0]);
});

function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(?:TCP|Pipe)(?:Socket|Connect)?Wrap$/.test(kind)).length;
}

class CountingClock implements Clock {
  pending = 0;

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.pending += 1;
    await systemClock.sleep(ms, signal);
    this.pending -= 1;
  }

  after(ms: number, callback: () => void): () => void {
    let open = true;
    const close = (): void => {
      if (open) this.pending -= 1;
      open = false;
    };
    this.pending += 1;
    const cancel = systemClock.after(ms, () => {
      close();
      callback();
    });
    return () => {
      close();
      cancel();
    };
  }
}
