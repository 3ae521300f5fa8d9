/**
 * `npm run bench:schedules`: what a hundred thousand schedules take, and how late it is when ten thousand of them have the
 * same time. Progress goes to stderr, a table to stdout. Exit: 0 measured, 1 failed, 2 usage.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from '../dist/index.js';
import { parseFlags, tell, UsageError } from './command-line.mjs';
import { Server } from './server.mjs';
import { ascending, quantile } from './statistics.mjs';

const usage = `npm run bench:schedules -- [flags]
  --schedules N   how many there are (default: 100000)
  --at-once N     how many of them have one time (default: 10000)
  --help`;
const options = {
  schedules: { type: 'string', default: '100000' },
  'at-once': { type: 'string', default: '10000' },
  help: { type: 'boolean' },
};
const queueName = 'bench';
const inFlight = 200;
const leadMs = 5_000;
const idleMs = 10_000;

const say = (line) => console.error(`bench:schedules: ${line}`);

function wholeOf(flags, name) {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${name}: expected a whole number from 1`);
  return value;
}

/** So many calls at once, until all are made. */
async function all(count, call) {
  let made = 0;
  const one = async () => {
    while (made < count) await call(made++);
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}

async function create(queue, count) {
  const startedMs = performance.now();
  await all(count, (at) => {
    const [minute, hour] = [at % 60, Math.floor(at / 60) % 24];
    return queue.schedule(
      `daily-${at}`,
      { cron: `${minute} ${hour} * * *`, tz: 'Europe/Berlin' },
      { name: 'job', payload: { at } },
    );
  });
  return count / ((performance.now() - startedMs) / 1_000);
}

async function fire(queue, { url, count }) {
  const handedOver = [];
  const observe = (seen) => {
    if (seen.type === 'occurrences' && seen.outcome === 'fired') handedOver.push(seen.lateMs);
  };
  const late = [];
  const ran = deferred();
  const handle = ({ due }) => {
    late.push(Date.now() - due);
    if (late.length === count) ran.resolve();
  };
  const worker = new Worker(queueName, { once: handle }, { connection: url, concurrency: 100, observe });
  await worker.start();
  const atMs = Date.now() + leadMs + count / 2; // they are made at some thousands a second
  await all(count, (at) => queue.schedule(`once-${at}`, { at: [atMs] }, { name: 'once' }));
  if (Date.now() > atMs - 500)
    throw new Error('the schedules were made too late to be fired on time: fewer of them, please');
  await ran.promise;
  const cpuMicros = process.cpuUsage();
  await sleep(idleMs);
  const { user, system } = process.cpuUsage(cpuMicros);
  await worker.stop();
  return { handedOver, late, idlePercent: (user + system) / (idleMs * 10) };
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => {
    made.resolve = resolve;
  });
  return made;
}

async function main(args) {
  const flags = parseFlags(args, options);
  if (flags.help) {
    console.log(usage);
    return 0;
  }
  const [count, atOnce] = [wholeOf(flags, 'schedules'), wholeOf(flags, 'at-once')];
  const server = await Server.launch('none');
  const queue = new Queue(queueName, { connection: server.url });
  try {
    const before = await server.memoryBytes();
    const perSecond = await create(queue, count);
    const bytes = ((await server.memoryBytes()) - before) / count;
    say(`${count} schedules were made`);
    const { handedOver, late, idlePercent } = await fire(queue, { url: server.url, count: atOnce });
    const ms = (values, share) => quantile(ascending(values), share).toFixed(1);
    const rows = [
      ['created, a second', Math.round(perSecond).toLocaleString('en')],
      ['bytes of Redis memory each', Math.round(bytes)],
      [`${atOnce} at one instant: handed over late, p99 / max, ms`, `${ms(handedOver, 0.99)} / ${ms(handedOver, 1)}`],
      [
        `${atOnce} at one instant: started late, p50 / p99 / max, ms`,
        `${ms(late, 0.5)} / ${ms(late, 0.99)} / ${ms(late, 1)}`,
      ],
      ['a worker that leads, idle beside them: percent of a core', idlePercent.toFixed(1)],
    ];
    console.log(rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n'));
  } finally {
    await queue.close();
    await server.stop();
  }
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.exitCode = tell('bench:schedules', error);
  },
);
