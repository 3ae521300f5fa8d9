import { codeOf, exitCodeOf, exitCodes, lineOf } from './failure.js';
import { withFlagNames } from './flag-names.js';
import { note } from './output.js';
import { readCommandLine } from './program.js';
import { withoutSecrets } from './redis-address.js';

/**
 * The door of the command line: reads it, runs the verb, turns whatever happens into an exit code and at most one line.
 * Never rejects.
 */
export async function answer(argv: readonly string[]): Promise<number> {
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
