import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Listening } from '../../src/metrics/server.js';
import { Queue } from '../../src/producer/queue.js';

/** A real queue on a real Redis that is frozen, thawed and killed while the metrics are scraped over HTTP. */
const metrics = new Metrics();
let folder: string;
let redis: ChildProcess;
let queue: Queue;
let served: Listening;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duestream-outage-'));
  const socket = join(folder, 'redis.sock');
  const flags = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'];
  redis = spawn('redis-server', flags, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: redis.stdout as NodeJS.ReadableStream })) {
    if (/ready to accept connections/i.test(line)) break;
  }
  redis.stdout?.resume();
  const connection = { socket: { path: socket } };
  queue = new Queue('mail', { connection, observe: metrics.observe, commandTimeout: 1_000, repeatFor: 2_000 });
  metrics.watch(queue);
  served = await metrics.listen({ port: 0, health: () => ({ ok: true, ready: true, problems: [] }) });
});

afterAll(async () => {
  if (redis.exitCode === null && redis.signalCode === null) {
    redis.kill('SIGKILL');
    await once(redis, 'exit');
  }
  await queue.close();
  await served.close();
  rmSync(folder, { recursive: true, force: true });
});

async function scrape(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${served.port}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

/** Scrapes until each pattern, a whole line or a regular expression, is there. */
async function scrapedWith(...patterns: (string | RegExp)[]): Promise<string> {
  const look = async (): Promise<string> => {
    const text = await scrape();
    const missing = patterns.find((each) =>
      typeof each === 'string' ? !text.includes(`${each}\n`) : !each.test(text),
    );
    if (missing !== undefined) throw new Error(`the scrape has no ${missing}`);
    return text;
  };
  return vi.waitFor(look, { timeout: 20_000, interval: 50 });
}

const read = 'duestream_collector_success{collector="stats",queue="mail"} 1';
const notRead = 'duestream_collector_success{collector="stats",queue="mail"} 0';

test('what is added is counted, and the depths are those of Redis', async () => {
  await queue.add('welcome', { to: 'secret-payload' });
  await queue.add('welcome', { to: 'secret-payload' }, { id: 'later', in: '1h' });
  await queue.add('welcome', { to: 'secret-payload' }, { id: 'later', in: '1h' });
  const text = await scrapedWith(
    read,
    'duestream_redis_up 1',
    'duestream_tasks_added_total{queue="mail",name="welcome",status="ready"} 1',
    'duestream_tasks_added_total{queue="mail",name="welcome",status="scheduled"} 1',
    'duestream_tasks_added_total{queue="mail",name="welcome",status="duplicate"} 1',
    'duestream_queue_tasks{queue="mail",state="scheduled"} 1',
    'duestream_queue_tasks{queue="mail",state="ready"} 1',
    'duestream_queue_paused{queue="mail"} 0',
  );
  expect(text).not.toContain('secret');
  expect(text).toMatch(/^duestream_redis_command_duration_seconds_count\{op="\w+"\} [1-9]/m);
});

test('a frozen Redis: the scrape comes, without depths, and redis_up falls; thawed, both come back', async () => {
  redis.kill('SIGSTOP');
  try {
    const text = await scrapedWith(notRead, 'duestream_redis_up 0');
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).not.toContain('duestream_queue_tasks{');
  } finally {
    redis.kill('SIGCONT');
  }
  await scrapedWith(read, 'duestream_redis_up 1', 'duestream_queue_tasks{queue="mail",state="scheduled"} 1');
});

test('a killed Redis: the scrape comes, and the errors are counted', async () => {
  redis.kill('SIGKILL');
  await once(redis, 'exit');
  const refused = /^duestream_redis_errors_total\{kind="connect"\} [1-9]/m;
  expect(await scrapedWith(notRead, 'duestream_redis_up 0', refused)).toContain('nodejs_heap_size_used_bytes');
});
