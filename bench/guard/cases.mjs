/**
 * What is counted. Each case gives the cost of so many tasks, or seconds, and is made so that the counts don't depend on
 * how fast the machine is: the clock stands still, handlers wait for one another, and it counts from rest to rest.
 * `limit`: what no ceiling may be above.
 */
import { Gate } from './ground.mjs';

const payload = 'x'.repeat(100);

function tasks(count, options = {}) {
  return Array.from({ length: count }, () => ({ name: 'task', payload, ...options }));
}

export const cases = [
  { name: 'add one by one', per: 'task', times: 100, run: addOneByOne },
  { name: 'addMany of 1,000', per: 'task', times: 1_000, run: addMany },
  { name: 'addMany of 1,000 for later', per: 'task', times: 1_000, run: (ground) => addMany(ground, { in: '1h' }) },
  { name: 'promote 1,000 due at once', per: 'task', times: 1_000, run: promote },
  { name: 'one task at a time on an idle worker', per: 'task', times: 50, run: lone },
  { name: 'drain, concurrency 1', per: 'task', times: 100, run: (ground) => drain(ground, { width: 1, count: 100 }) },
  { name: 'drain, concurrency 10', per: 'task', times: 500, run: (ground) => drain(ground, { width: 10, count: 500 }) },
  {
    name: 'drain, concurrency 100',
    per: 'task',
    times: 2_000,
    run: (ground) => drain(ground, { width: 100, count: 2_000 }),
  },
  { name: 'idle leader and worker', per: 'second', times: 60, run: idle, limit: { sent: 10 } },
];

/** A queue that has connected and added before. */
async function warmQueue(ground) {
  const queue = ground.queue();
  await queue.cancel((await queue.add('task', payload)).id);
  return queue;
}

async function addOneByOne(ground) {
  const queue = await warmQueue(ground);
  return ground.meter.count(async () => {
    for (const { name } of tasks(100)) await queue.add(name, payload);
  });
}

async function addMany(ground, options) {
  const queue = await warmQueue(ground);
  return ground.meter.count(() => queue.addMany(tasks(1_000, options)));
}

/** What is added while a queue is paused waits in the schedule, and is due. */
async function promote(ground) {
  const queue = await warmQueue(ground);
  await queue.pause();
  await queue.addMany(tasks(1_000));
  await ground.leader();
  const count = await ground.meter.count(() => queue.resume());
  const { ready } = await queue.stats();
  if (ready !== 1_000) throw new Error(`1,000 were to be promoted, and ${ready} were`);
  return count;
}

/** All of it: add, the read that waited for it, open and settle. */
async function lone(ground) {
  const queue = await warmQueue(ground);
  await ground.worker(() => {}, 10);
  return ground.meter.count(async () => {
    for (const { name } of tasks(50)) {
      await queue.add(name, payload);
      await ground.meter.quiet();
    }
  });
}

/** From when the worker has its hands full for the first time until all is done and it waits again. */
async function drain(ground, { width, count }) {
  const queue = await warmQueue(ground);
  await queue.addMany(tasks(count));
  const gate = new Gate(width, count);
  await ground.worker(() => gate.pass(), width);
  const counted = await ground.meter.count(async () => {
    gate.open();
    while (gate.left > 0) await ground.meter.quiet();
  });
  const { ready, active } = await queue.stats();
  if (ready + active > 0) throw new Error(`${ready + active} of ${count} tasks were not done`);
  return counted;
}

/** Redis ends a read that waits by its own clock; here it is ended when that much has passed on ours. */
async function idle(ground) {
  await warmQueue(ground);
  const { meter, clock } = ground;
  meter.onBlock = (ms) => clock.after(ms, () => meter.endBlocked());
  await ground.leader();
  await ground.worker(() => {}, 10);
  return meter.count(() => ground.pass(60_000));
}
