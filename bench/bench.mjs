/**
 * `npm run bench`: Duestream against BullMQ, bee-queue and a bare loop, on a Redis of its own. Progress goes to stderr,
 * the table to stdout, a document for each kind of persistence to --out. Exit: 0 measured, 1 some runs failed, 2 usage,
 * 130 and 143 cut short by a signal. Nothing is left behind, however it ends.
 */
import { tell, UsageError } from './command-line.mjs';
import { readFlags, usage } from './flags.mjs';
import { casesOf, systemsOf } from './plan.mjs';
import { madeOf, prepareFolder, writeDocument } from './results.mjs';
import { runAll } from './runs.mjs';
import { Server } from './server.mjs';
import { sizesOf } from './sizes.mjs';
import { checkInstalled } from './systems/systems.mjs';
import { tableOf } from './table.mjs';

const say = (line) => console.error(`bench: ${line}`);

async function main(args, signal) {
  const flags = readFlags(args);
  if (flags.help) {
    console.log(usage);
    return 0;
  }
  const sizes = sizesOf(flags);
  const cases = casesOf(flags, sizes);
  if (cases.length === 0) throw new UsageError(noCase(flags));
  prepareFolder(flags.out);
  await checkInstalled(systemsOf(cases, flags));
  let failed = 0;
  for (const persistence of flags.persistences) {
    failed += await measure(cases, { args, flags, sizes, persistence, signal });
  }
  return failed === 0 ? 0 : 1;
}

function noCase({ only, measures, systems }) {
  const where = `of the measures ${measures.join(', ')} for ${systems.join(', ')}`;
  return only.length > 0
    ? `--only: no case ${where} has ${only.join(' or ')} in its name`
    : `there is no case ${where}`;
}

/** One document. @returns how many runs failed */
async function measure(cases, { args, flags, sizes, persistence, signal }) {
  const server = await Server.launch(persistence);
  try {
    const { redis_version: redisVersion } = await server.info('server');
    say(`${cases.length} cases on Redis ${redisVersion} at ${server.url}, persistence ${persistence}`);
    const made = madeOf({ args, flags, persistence, redisVersion });
    const { figures, failed } = await runAll(cases, { server, flags, sizes, signal, say });
    const document = { made: { ...made, failed }, figures };
    console.log(tableOf(document));
    const file = writeDocument(flags.out, document);
    say(`written: ${file}${failed === 0 ? '' : `; ${failed} runs failed and have no figure in it`}`);
    return failed;
  } finally {
    await server.stop();
  }
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 };

/** The first signal ends the run in order; the processes of the run are killed, and Redis is stopped. */
function endOnSignals() {
  const ended = new AbortController();
  for (const signal of Object.keys(exitCodes)) process.on(signal, () => ended.abort(signal));
  return ended.signal;
}

const signal = endOnSignals();
main(process.argv.slice(2), signal).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    if (signal.aborted) say(`cut short by ${signal.reason}`);
    process.exitCode = signal.aborted ? exitCodes[signal.reason] : tell('bench', error);
  },
);
