/** What the three commands of this folder do alike with their arguments, and with what goes wrong. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What whoever called can mend: told in one line, without a stack. */
export class ToldError extends Error {
  exitCode = 1;
}

export class UsageError extends ToldError {
  exitCode = 2;
}

/** @returns the value of each flag; UsageError for what is no flag, or has no value */
export function parseFlags(args, options) {
  try {
    return parseArgs({ args: withNegatives(args), options, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(`${error.message.split(/\.?(?:\n|\. )/)[0]}; --help says which flags there are`);
  }
}

/** `--scale -1` is `--scale=-1`: parseArgs would take the number for a flag. */
function withNegatives(args) {
  return args.reduce((joined, arg) => {
    const flag = joined.at(-1);
    const isValue = /^-\d/.test(arg) && flag?.startsWith('--') && !flag.includes('=');
    return isValue ? [...joined.slice(0, -1), `${flag}=${arg}`] : [...joined, arg];
  }, []);
}

/** A path as the caller means it: npm changes to the folder of package.json, and leaves the caller's in INIT_CWD. */
export function fromCaller(path) {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/** @returns the exit code */
export function tell(command, error) {
  const isTold = error instanceof ToldError;
  console.error(`${command}: ${isTold ? error.message : error.stack}`);
  return isTold ? error.exitCode : 1;
}
