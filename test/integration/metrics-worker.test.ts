import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Metrics, Queue, RejectTask, Worker } from '../../src/index.js';

/** A real worker, leader and queue: what they do is what the metrics say. */
const metrics = new Metrics({ defaultMetrics: false });
let folder: string;
let redis: ChildProcess;
let queue: Queue;
let worker: Worker;
let release: () => void;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duestream-metrics-'));
  const socket = join(folder, 'redis.sock');
  const flags = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'];
  redis = spawn('redis-server', flags, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: redis.stdout as NodeJS.ReadableStream })) {
    if (/ready to accept connections/i.test(line)) break;
  }
  redis.stdout?.resume();
  const connection = { socket: { path: socket } };
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handlers = {
    fine: () => 'done',
    held: () => released,
    refused: () => {
      throw new RejectTask('secret-reason');
    },
    shaky: () => {
      throw new Error('secret-error');
    },
  };
  queue = new Queue('mail', { connection, observe: metrics.observe });
  worker = new Worker('mail', handlers, { connection, observe: metrics.observe, concurrency: 7 });
  worker.on('error', () => undefined); // this Redis keeps nothing, which the worker rightly says
  metrics.expect('mail', Object.keys(handlers));
  metrics.watch(queue);
});

afterAll(async () => {
  release();
  await worker.stop();
  await queue.close();
  if (redis.kill('SIGKILL')) await once(redis, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

/** Scrapes until each pattern, a whole line or a regular expression, is there. */
async function scrapedWith(...patterns: (string | RegExp)[]): Promise<string> {
  const look = async (): Promise<string> => {
    const text = await metrics.text();
    for (const each of patterns) {
      const line = typeof each === 'string' ? `duestream_${each}\n` : each;
      const found = typeof line === 'string' ? text.includes(line) : line.test(text);
      if (!found) throw new Error(`the scrape has no ${each}`);
    }
    return text;
  };
  return vi.waitFor(look, { timeout: 20_000, interval: 50 });
}

test('a worker that leads shows its seat, what it promotes, runs, and what became of it', async () => {
  await worker.start();
  await scrapedWith(
    'leader_elected{queue="mail"} 1',
    'leader_transitions_total{queue="mail",event="elected"} 1',
    /^duestream_leader_term\{queue="mail"\} \d{16}$/m,
    /^duestream_promotion_last_success_timestamp_seconds\{queue="mail"\} \d{10}/m,
    'queue_consumers{queue="mail"} 1',
    'redis_up 1',
  );
  await queue.add('fine', { card: 'secret-payload' }, { id: 'secret-id', in: '1ms' });
  await queue.add('refused', { card: 'secret-payload' });
  await queue.add('shaky', { card: 'secret-payload' }, { backoff: { type: 'fixed', delay: '1h' } });
  const text = await scrapedWith(
    'tasks_promoted_total{queue="mail"} 1',
    'promotion_lag_seconds_count{queue="mail"} 1',
    'tasks_settled_total{queue="mail",name="fine",outcome="completed"} 1',
    'tasks_settled_total{queue="mail",name="refused",outcome="dead"} 1',
    'tasks_settled_total{queue="mail",name="shaky",outcome="retried"} 1',
    'tasks_settled_total{queue="mail",name="fine",outcome="dead"} 0',
    'task_start_delay_seconds_count{queue="mail"} 3',
    'task_duration_seconds_count{queue="mail",name="fine"} 1',
    'queue_tasks{queue="mail",state="scheduled"} 1',
    'queue_tasks{queue="mail",state="dead"} 1',
  );
  expect(text).not.toContain('secret');
});

test('handlers at work are in flight', async () => {
  await queue.add('held');
  await scrapedWith(
    'worker_tasks_in_flight{queue="mail"} 1',
    'worker_concurrency{queue="mail"} 7',
    'queue_tasks{queue="mail",state="active"} 1',
  );
  release();
  await scrapedWith('worker_tasks_in_flight{queue="mail"} 0', 'queue_tasks{queue="mail",state="active"} 0');
});

test('a worker that stopped neither leads nor carries anything', async () => {
  release();
  await worker.stop();
  await scrapedWith(
    'leader_elected{queue="mail"} 0',
    'leader_transitions_total{queue="mail",event="resigned"} 1',
    'worker_concurrency{queue="mail"} 0',
    'queue_consumers{queue="mail"} 0',
  );
});
