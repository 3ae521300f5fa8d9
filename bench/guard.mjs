/**
 * `npm run bench:guard`: what a task costs in Redis commands and in script calls, counted on a Redis of its own, against
 * the recorded ceilings in bench/guard/ceilings.json. Nothing is timed, so it says the same on any machine. Exit: 0 all
 * within, 1 something costs more, 2 usage. After a change that is meant: `npm run bench:guard -- --record`.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { launchRedis, RedisLink } from '../dist/testing.js';
import { fromCaller, parseFlags, tell, ToldError } from './command-line.mjs';
import { cases } from './guard/cases.mjs';
import { ceilingsFor, findings, readCeilings } from './guard/ceilings.mjs';
import { Ground } from './guard/ground.mjs';
import { Meter } from './guard/meter.mjs';

const recorded = join(import.meta.dirname, 'guard', 'ceilings.json');

const usage = `npm run bench:guard -- [flags]
  --record         write what it costs now, and 5 %, as the new ceilings
  --ceilings FILE  compare with these
  --verbose        say which commands are sent
  --help`;

const options = {
  record: { type: 'boolean' },
  ceilings: { type: 'string', default: recorded },
  verbose: { type: 'boolean' },
  help: { type: 'boolean' },
};

/** By the name of the case: {per, scripts, inside, sent, limit}, each divided by how many there were. */
async function countAll(verbose) {
  const server = await launchRedis();
  const link = new RedisLink({ connection: server.connection, purpose: 'guard' });
  const meter = new Meter(link, server);
  const costs = {};
  console.log(`${''.padEnd(40)}${['scripts', 'inside', 'sent'].map((word) => word.padStart(10)).join('')}`);
  try {
    await meter.start();
    for (const one of cases) {
      const count = await countOne(one, { server, link, meter });
      costs[one.name] = costOf(count, one);
      console.log(rowOf(one.name, costs[one.name]));
      if (verbose) console.log(`    ${[...count.verbs].map(([verb, times]) => `${verb} ${times}`).join(', ')}`);
    }
  } finally {
    await meter.stop();
    await link.stop();
    await server.stop();
  }
  return costs;
}

async function countOne({ name, run }, { server, link, meter }) {
  await link.send(['FLUSHALL']);
  meter.onBlock = () => {};
  const ground = new Ground(server, meter);
  try {
    const count = await run(ground);
    if (ground.errors.length > 0)
      throw new Error(`${name}: something went wrong on the way`, { cause: ground.errors[0] });
    return count;
  } finally {
    await ground.stop();
  }
}

function costOf({ scripts, inside, sent }, { per, times, limit }) {
  const each = (total) => Math.round((total / times) * 10_000) / 10_000;
  return { per, limit, scripts: each(scripts), inside: each(inside), sent: each(sent) };
}

function rowOf(name, { per, scripts, inside, sent }) {
  const numbers = [scripts, inside, sent].map((number) => number.toFixed(3).padStart(10));
  return `${name.padEnd(40)}${numbers.join('')}   a ${per}`;
}

/** @returns the exit code */
async function main(args) {
  const flags = parseFlags(args, options);
  if (flags.help) {
    console.log(usage);
    return 0;
  }
  const file = fromCaller(flags.ceilings);
  return flags.record ? record(file, flags) : compare(file, flags);
}

async function record(file, { verbose }) {
  if (!existsSync(dirname(file))) throw new ToldError(`--ceilings: there is no folder ${dirname(file)}`);
  const costs = await countAll(verbose);
  writeFileSync(file, `${JSON.stringify(ceilingsFor(costs), null, 2)}\n`);
  console.log('the ceilings are set 5 % above this');
  return 0;
}

async function compare(file, { verbose }) {
  const ceilings = readCeilings(file); // before counting, which takes a while
  const found = findings(await countAll(verbose), ceilings);
  for (const finding of found) console.error(`TOO MUCH  ${finding}`);
  console.log(found.length === 0 ? 'guard: every case is within its ceiling' : `guard: ${found.length} findings`);
  return found.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell('bench:guard', error);
}
