/** Duestream, by its public API and with its defaults. */

const name = 'note';

const load = () => import('../../dist/index.js');

async function producer({ url, queue: queueName }) {
  const { Queue } = await load();
  const queue = new Queue(queueName, { connection: url });
  return {
    add: (payload) => queue.add(name, payload),
    addMany: (payloads) => queue.addMany(payloads.map((payload) => ({ name, payload }))),
    schedule: (items) => queue.addMany(items.map(({ payload, atMs }) => ({ name, payload, at: atMs }))),
    close: () => queue.close(),
  };
}

const leaderOf = { both: 'allow', leader: 'only', worker: 'never' };

async function worker({ url, queue, concurrency, handler, role = 'both', onError }) {
  const { Worker } = await load();
  const handlers = { [name]: (task) => handler(task.payload) };
  const worker = new Worker(queue, handlers, { connection: url, concurrency, leader: leaderOf[role] });
  worker.on('error', onError);
  await worker.start();
  return { close: () => worker.stop() };
}

/** A task has a record from its add to its end. */
function remaining(send, queue) {
  return send(['HLEN', `duestream:{${queue}:0}:tasks`]);
}

export const duestream = { load, producer, worker, remaining, roles: ['leader', 'worker'] };
