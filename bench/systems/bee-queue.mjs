/**
 * bee-queue, set for speed as its README says: saveAll, no events, no job objects kept, jobs that succeeded removed.
 * `delayedDebounce` is 1 ms and not its default of 1,000, by which delayed jobs may be late.
 */

const load = () => import('bee-queue');

const lean = { getEvents: false, sendEvents: false, storeJobs: false };

async function producer({ url, queue: queueName }) {
  const { default: Queue } = await load();
  const queue = new Queue(queueName, { ...lean, redis: { url }, isWorker: false });
  await queue.ready();
  return {
    add: (payload) => queue.createJob(payload).save(),
    addMany: (payloads) =>
      saveAll(
        queue,
        payloads.map((payload) => queue.createJob(payload)),
      ),
    schedule: (items) =>
      saveAll(
        queue,
        items.map(({ payload, atMs }) => queue.createJob(payload).delayUntil(atMs)),
      ),
    close: () => queue.close(),
  };
}

async function saveAll(queue, jobs) {
  const errors = await queue.saveAll(jobs);
  for (const error of errors.values()) throw error;
}

/** The README asks every worker to look for stalled jobs, without which a crash loses them. */
const stalledEveryMs = 5_000;

async function worker({ url, queue: queueName, concurrency, handler, onError }) {
  const { default: Queue } = await load();
  const delays = { activateDelayedJobs: true, delayedDebounce: 1 };
  const queue = new Queue(queueName, { ...lean, ...delays, redis: { url }, removeOnSuccess: true });
  let isClosing = false;
  queue.on('error', (error) => {
    if (!isClosing) onError(error); // closing breaks its blocking read, which it tells as an error
  });
  queue.on('failed', (_job, error) => onError(error));
  await queue.ready();
  queue.process(concurrency, async (job) => handler(job.data));
  queue.checkStalledJobs(stalledEveryMs, (error) => error && !isClosing && onError(error));
  return {
    close: () => {
      isClosing = true;
      return queue.close();
    },
  };
}

function remaining(send, queue) {
  return send(['HLEN', `bq:${queue}:jobs`]);
}

export const beeQueue = { load, producer, worker, remaining };
