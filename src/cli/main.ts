#!/usr/bin/env node
import { codeOf, exitCodeOf, exitCodes, lineOf } from './failure.js';
import { withFlagNames } from './flag-names.js';
import { flushed, note } from './output.js';
import { readCommandLine } from './program.js';
import { withoutSecrets } from './redis-address.js';

/**
 * The door of the command line: reads it, runs the verb, turns whatever happens into an exit code and at most one line.
 * The end is explicit, for a handler module may leave connections open that would keep the process alive.
 */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const call = await readCommandLine(argv);
    return (await call?.command.run(call.args)) ?? exitCodes.ok;
  } catch (error) {
    const line = codeOf(error) === 'ERR_INVALID_ARGUMENT' ? withFlagNames(lineOf(error), argv) : lineOf(error);
    note(withoutSecrets(line, secretHolders(argv)));
    return exitCodeOf(error);
  }
}

function secretHolders(argv: readonly string[]): (string | undefined)[] {
  const fromFlags = argv.map((token) => token.replace(/^--[\w-]+=/, '')).flatMap((text) => [text, ...text.split(',')]);
  return [process.env['DUESTREAM_REDIS_URL'], process.env['REDIS_URL'], ...fromFlags];
}

/** `duestream task list … | head -1` ends quietly when head has seen enough; a lost stderr stops nobody's work. */
function endQuietlyWithTheReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
  });
  process.stderr.on('error', () => {});
}

/** When something waits for what never comes, Node just ends, with 0: say so instead. */
function neverEndSilently(): () => void {
  const onEnd = (): void => {
    note('stopped before it was done: something waits for a promise that never settles');
    process.exitCode = exitCodes.failed;
  };
  process.once('beforeExit', onEnd);
  return () => process.off('beforeExit', onEnd);
}

async function run(): Promise<never> {
  endQuietlyWithTheReader();
  const ended = neverEndSilently();
  const exitCode = await main(process.argv.slice(2));
  ended();
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

void run();
