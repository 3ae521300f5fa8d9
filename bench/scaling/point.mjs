import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from '../../dist/index.js';
import { Crew } from '../process/crew.mjs';
import { checkReports, spanMs } from '../reports.mjs';

const system = 'duestream';
const queueName = 'bench';
const concurrency = 100;
const leadMs = 2_000;
/** Of the tasks: their bytes do not get any truer with more of them. */
const memoryShare = 0.3;
/** Of the kernel: what a tick of /proc is worth. */
const tickMicros = 10_000;
const stuckMs = 120_000;
const idleSettleMs = 3_000;
const idleMs = 10_000;

/** What draining a backlog costs with one number of partitions. @returns figures by name */
export function measureDrain(fleet, { partitions, tasks, signal }) {
  return withCrew(signal, (crew) => backlog({ fleet, partitions, tasks, crew }));
}

/**
 * The bytes of a scheduled task, and what the whole life of one costs, from its add by way of its due time to its end.
 * @returns figures by name
 */
export function measureLife(fleet, { partitions, tasks, signal }) {
  return withCrew(signal, async (crew) => ({
    ...(await memory({ fleet, partitions, tasks: Math.ceil(tasks * memoryShare), crew })),
    ...(await life({ fleet, partitions, tasks, crew })),
  }));
}

/** Its processes are gone at the end, whatever that was. */
async function withCrew(signal, use) {
  const crew = new Crew();
  const kill = () => crew.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await use(crew);
  } finally {
    signal.removeEventListener('abort', kill);
    crew.kill();
  }
}

async function memory({ fleet, partitions, tasks, crew }) {
  const producer = await fresh({ fleet, partitions, crew });
  const before = await fleet.memoryBytes();
  await producer.ask('schedule', { count: tasks, leadMs: 86_400_000 });
  await producer.end();
  return { memoryBytes: ((await fleet.memoryBytes()) - before) / tasks };
}

async function backlog({ fleet, partitions, tasks, crew }) {
  const producer = await fresh({ fleet, partitions, crew });
  await producer.ask('addBulk', { count: tasks });
  await producer.end();
  const worker = await crew.hire('worker', system);
  await worker.ask('begin', { ...where(fleet), concurrency, capacity: tasks });
  const skipped = Math.floor(tasks / 5); // by then it has all its connections
  await ran(worker, skipped);
  const before = await readings(fleet, [worker]);
  await ran(worker, tasks);
  await sleep(100); // the last ends are written
  const after = await readings(fleet, [worker]);
  const connections = (await fleet.connections()) - fleet.masters; // our own eyes
  const reports = [await worker.ask('report')];
  await worker.end();
  checkReports(reports, tasks);
  const each = costOf(before, after, tasks - skipped);
  return {
    drainPerSecond: (tasks - 1) / (spanMs(reports) / 1_000),
    drainRedisMicros: each.redisMicros,
    drainNodeMicros: each.nodeMicros[0],
    drainWireBytes: each.wireBytes,
    connections,
  };
}

async function life({ fleet, partitions, tasks, crew }) {
  const producer = await fresh({ fleet, partitions, crew });
  const leader = await crew.hire('worker', system);
  await leader.ask('begin', { ...where(fleet), concurrency, capacity: tasks, role: 'leader' });
  const worker = await crew.hire('worker', system);
  await worker.ask('begin', { ...where(fleet), concurrency, capacity: tasks, role: 'worker' });
  const all = [producer, leader, worker];
  const before = await readings(fleet, all);
  await producer.ask('schedule', { count: tasks, leadMs });
  await ran(worker, tasks);
  await sleep(100);
  const after = await readings(fleet, all);
  checkReports([await worker.ask('report')], tasks);
  await Promise.all(all.map((actor) => actor.end()));
  const { redisMicros, wireBytes, nodeMicros } = costOf(before, after, tasks);
  const [producerMicros, leaderMicros, workerMicros] = nodeMicros;
  return { lifeRedisMicros: redisMicros, lifeWireBytes: wireBytes, producerMicros, leaderMicros, workerMicros };
}

/**
 * What so many partitions cost while nothing happens, of a process that leads and one that works: in a second.
 * @returns figures by name
 */
export function measureIdle(fleet, { partitions, signal }) {
  return withCrew(signal, async (crew) => {
    const producer = await fresh({ fleet, partitions, crew });
    await producer.end();
    const start = async (role) => {
      const actor = await crew.hire('worker', system);
      await actor.ask('begin', { ...where(fleet), concurrency, capacity: 1, role });
      await sleep(idleSettleMs);
      return actor;
    };
    const leader = await start('leader');
    const led = await idleOf(fleet, [leader]);
    const worker = await start('worker');
    const both = await idleOf(fleet, [leader, worker]);
    await Promise.all([leader.end(), worker.end()]);
    const [leaderMicros, workerMicros] = both.nodeMicros;
    return {
      leaderMicros,
      workerMicros,
      leaderRedisMicros: led.redisMicros,
      workerRedisMicros: Math.max(0, both.redisMicros - led.redisMicros),
    };
  });
}

async function idleOf(fleet, actors) {
  const before = await readings(fleet, actors);
  await sleep(idleMs);
  return costOf(before, await readings(fleet, actors), idleMs / 1_000);
}

/** An empty queue of so many partitions, and a producer for it. */
async function fresh({ fleet, partitions, crew }) {
  await fleet.empty();
  const queue = new Queue(queueName, { connection: fleet.url, partitions });
  await queue.create();
  await queue.close();
  const producer = await crew.hire('producer', system);
  await producer.ask('begin', where(fleet));
  return producer;
}

const where = ({ url }) => ({ system, url, queue: queueName });

async function ran(worker, count) {
  const late = new AbortController();
  const tooLate = sleep(stuckMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`${count} tasks did not all start within ${stuckMs / 1_000} s`);
  });
  tooLate.catch(() => {}); // what the race has left behind
  await Promise.race([worker.ask('untilRan', { count }), tooLate]).finally(() => late.abort());
}

async function readings(fleet, actors) {
  const nodeMicros = actors.map(({ pid }) => cpuMicrosOf(pid));
  return { redisMicros: await fleet.cpuMicros(), wireBytes: await fleet.wireBytes(), nodeMicros };
}

function costOf(before, after, tasks) {
  return {
    redisMicros: (after.redisMicros - before.redisMicros) / tasks,
    wireBytes: (after.wireBytes - before.wireBytes) / tasks,
    nodeMicros: after.nodeMicros.map((micros, at) => (micros - before.nodeMicros[at]) / tasks),
  };
}

/** What a process has used so far, of both modes. */
function cpuMicrosOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(user) + Number(system)) * tickMicros;
}
