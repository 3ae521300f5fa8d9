/**
 * BullMQ on ioredis, set for speed as its guides say: addBulk, and completed jobs are removed (said to the worker, so
 * that no job has to carry it).
 */

const name = 'note';

const load = () => import('bullmq');

function connectionOf(url) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}

async function producer({ url, queue: queueName }) {
  const { Queue } = await load();
  const queue = new Queue(queueName, { connection: connectionOf(url) });
  await queue.waitUntilReady();
  return {
    add: (payload) => queue.add(name, payload),
    addMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name, data }))),
    schedule: (items) => queue.addBulk(delayed(items)),
    close: () => queue.close(),
  };
}

/** It counts a delay from the timestamp: with the same instant in both, the job is due at atMs to the millisecond. */
function delayed(items) {
  const timestamp = Date.now();
  return items.map(({ payload, atMs }) => ({ name, data: payload, opts: { timestamp, delay: atMs - timestamp } }));
}

async function worker({ url, queue, concurrency, handler, onError }) {
  const { Worker } = await load();
  const connection = connectionOf(url);
  const worker = new Worker(queue, async (job) => handler(job.data), {
    connection,
    concurrency,
    removeOnComplete: { count: 0 },
  });
  worker.on('error', onError);
  worker.on('failed', (_job, error) => onError(error));
  await worker.waitUntilReady();
  return { close: () => worker.close() };
}

async function remaining(send, queue) {
  const key = (part) => `bull:${queue}:${part}`;
  const counts = await Promise.all([
    ...['wait', 'active', 'paused'].map((part) => send(['LLEN', key(part)])),
    ...['delayed', 'prioritized', 'completed', 'failed'].map((part) => send(['ZCARD', key(part)])),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}

export const bullmq = { load, producer, worker, remaining };
