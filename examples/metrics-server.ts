/** A worker with /metrics for Prometheus, /healthz for whoever restarts it and /readyz for whoever routes to it. */
import { Metrics, Queue, Worker } from 'duestream';
import type { Mail } from './tasks.js';

const connection = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const metrics = new Metrics();
const { observe } = metrics;

const worker = new Worker<Mail>('mail', { welcome: async () => {}, digest: async () => {} }, { connection, observe });
metrics.expect('mail', worker.names); // their series start at 0

const queue = new Queue<Mail>('mail', { connection, observe });
metrics.watch(queue); // how much waits, read at each scrape

const port = Number(process.env['METRICS_PORT'] ?? 9464);
const page = await metrics.listen({ port, health: () => worker.health() }); // 127.0.0.1 unless you give a host

async function stop(): Promise<void> {
  await worker.stop();
  await Promise.all([queue.close(), page.close()]);
}
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());

await worker.start();
console.log(`metrics on http://127.0.0.1:${page.port}/metrics`);
