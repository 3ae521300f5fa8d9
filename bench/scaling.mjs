/**
 * `npm run bench:scaling`: what a task costs with more partitions and more masters. Progress goes to stderr, a table to
 * stdout, the document to --out. Exit: 0 measured, 1 failed, 2 usage, 130 and 143 cut short.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromCaller, parseFlags, tell, UsageError } from './command-line.mjs';
import { commandOf, machine, versions } from './results.mjs';
import { Fleet } from './scaling/fleet.mjs';
import { measureDrain, measureIdle, measureLife } from './scaling/point.mjs';
import { idleTable, pointsTable, spreadTable } from './scaling/tables.mjs';

const partitionCounts = [1, 2, 4, 8, 16];
const masterCounts = [1, 3];
const idlePartitionCounts = [1, 64, 256];
/** A drain is short, and its CPU moves most with what the machine does besides. */
const drainsForOne = 4;

const usage = `npm run bench:scaling -- [flags]
  --tasks N         that a backlog has (default: 200000)
  --repetitions N   of each point (default: 5), and four times as many of its drain
  --out FOLDER      where scaling.json goes (default: bench/results)
  --help`;

const options = {
  tasks: { type: 'string', default: '200000' },
  repetitions: { type: 'string', default: '5' },
  out: { type: 'string', default: join(import.meta.dirname, 'results') },
  help: { type: 'boolean' },
};

const say = (line) => console.error(`bench:scaling: ${line}`);

function wholeOf(flags, name) {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${name}: expected a whole number from 1`);
  return value;
}

async function main(args, signal) {
  const flags = parseFlags(args, options);
  if (flags.help) {
    console.log(usage);
    return 0;
  }
  const size = { tasks: wholeOf(flags, 'tasks'), repetitions: wholeOf(flags, 'repetitions') };
  const out = fromCaller(flags.out);
  mkdirSync(out, { recursive: true });
  const points = [];
  let redisVersion = '';
  for (const masters of masterCounts) {
    const measured = await withFleet(masters, (fleet) => measurePoints(fleet, { ...size, signal }));
    points.push(...measured.points);
    redisVersion = measured.redisVersion;
  }
  const idle = await withFleet(1, (fleet) => measureIdles(fleet, { ...size, signal }));
  const command = commandOf('npm run bench:scaling', args);
  const made = { at: new Date().toISOString(), command, machine: machine(), versions: versions(redisVersion), ...size };
  const document = { made, points, idle };
  console.log([pointsTable, spreadTable, idleTable].map((table) => table(document)).join('\n\n'));
  const file = join(out, 'scaling.json');
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  say(`written: ${file}`);
  return 0;
}

async function withFleet(masters, measure) {
  const fleet = await Fleet.launch(masters);
  try {
    return await measure(fleet);
  } finally {
    await fleet.stop();
  }
}

async function measurePoints(fleet, { tasks, repetitions, signal }) {
  const { masters } = fleet;
  const redisVersion = await fleet.redisVersion();
  const points = partitionCounts.map((partitions) => ({ masters, partitions, figures: {} }));
  const drains = { repetitions: repetitions * drainsForOne, signal };
  await interleaved(points, drains, async ({ partitions }) => {
    const measured = await measureDrain(fleet, { partitions, tasks, signal });
    const rate = Math.round(measured.drainPerSecond).toLocaleString('en');
    say(`${masters} masters, ${partitions} partitions: ${rate} tasks/s`);
    return measured;
  });
  await interleaved(points, { repetitions, signal }, async ({ partitions }) => {
    const measured = await measureLife(fleet, { partitions, tasks, signal });
    say(`${masters} masters, ${partitions} partitions: a life takes Redis ${measured.lifeRedisMicros.toFixed(1)} µs`);
    return measured;
  });
  return { points, redisVersion };
}

async function measureIdles(fleet, { repetitions, signal }) {
  const idle = idlePartitionCounts.map((partitions) => ({ partitions, figures: {} }));
  await interleaved(idle, { repetitions, signal }, async ({ partitions }) => {
    const measured = await measureIdle(fleet, { partitions, signal });
    say(`idle, ${partitions} partitions: the leader ${Math.round(measured.leaderMicros / 10_000)} % of a core`);
    return measured;
  });
  return idle;
}

/**
 * One repetition of each point, then the next of each, in the other direction: whatever else the machine does falls on all,
 * also what gets worse from one to the next.
 */
async function interleaved(points, { repetitions, signal }, measure) {
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const point of repetition % 2 === 1 ? points : points.toReversed()) {
      signal.throwIfAborted();
      const measured = await measure(point);
      for (const [name, value] of Object.entries(measured)) (point.figures[name] ??= []).push(value);
    }
  }
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 };
const ended = new AbortController();
for (const signal of Object.keys(exitCodes)) process.on(signal, () => ended.abort(signal));
main(process.argv.slice(2), ended.signal).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.exitCode = ended.signal.aborted ? exitCodes[ended.signal.reason] : tell('bench:scaling', error);
  },
);
