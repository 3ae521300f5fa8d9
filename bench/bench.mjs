/**
 * `npm run bench`: Duestream against BullMQ, bee-queue and a bare loop, on a Redis of its own. Progress goes to stderr,
 * the table to stdout, a document for each kind of persistence to --out. Exit: 0 measured, 1 some runs failed, 2 usage,
 * 130 and 143 cut short by a signal. Nothing is left behind, however it ends.
 */
import { readFlags, usage, UsageError } from './flags.mjs';
import { casesOf } from './plan.mjs';
import { madeOf, writeDocument } from './results.mjs';
import { runAll } from './runs.mjs';
import { Server } from './server.mjs';
import { sizesOf } from './sizes.mjs';
import { tableOf } from './table.mjs';

const say = (line) => console.error(`bench: ${line}`);

async function main(args, signal) {
  const flags = readFlags(args);
  if (flags.help) {
    console.log(usage);
    return 0;
  }
  const sizes = sizesOf(flags);
  const cases = casesOf({ wanted: flags.measures, only: flags.only, sizes });
  if (cases.length === 0)
    throw new UsageError(`--only: no case of these measures has ${flags.only.join(' or ')} in its name`);
  let failed = 0;
  for (const persistence of flags.persistences) {
    failed += await measure(cases, { args, flags, sizes, persistence, signal });
  }
  return failed === 0 ? 0 : 1;
}

/** One document. @returns how many runs failed */
async function measure(cases, { args, flags, sizes, persistence, signal }) {
  const server = await Server.launch(persistence);
  try {
    const { redis_version: redisVersion } = await server.info('server');
    say(`${cases.length} cases on Redis ${redisVersion}, persistence ${persistence}`);
    const made = madeOf({ args, flags, persistence, redisVersion });
    const { figures, failed } = await runAll(cases, { server, flags, sizes, signal, say });
    const document = { made, figures };
    const file = writeDocument(flags.out, document);
    console.log(tableOf(document));
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
    process.exitCode = exitCodes[signal.reason] ?? (error instanceof UsageError ? 2 : 1);
    if (error instanceof UsageError) console.error(`${error.message}\n${usage}`);
    else say(signal.aborted ? `cut short by ${signal.reason}` : error.stack);
  },
);
