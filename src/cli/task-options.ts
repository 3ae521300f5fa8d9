import type { TaskKey, TaskOptions } from '../index.js';
import type { Arguments } from './arguments.js';
import type { Flag } from './command.js';
import { usage } from './failure.js';

/** When a task is due, as flags. The values are checked by the library, before anything is sent. */
export const whenFlags: Readonly<Record<string, Flag>> = {
  in: { describe: 'Due that long from now, such as 90s or 1h30m' },
  at: { describe: 'Due at that time, with its offset from UTC: 2027-01-01T09:00+01:00' },
  'at-ms': { describe: 'Due at that time in ms since 1970' },
};

/** What a task and every task of a schedule may have. */
export const lastingFlags: Readonly<Record<string, Flag>> = {
  'max-attempts': { describe: 'Attempts in all, the first included' },
  timeout: { describe: 'How long its handler may take' },
  'expires-in': { describe: 'Never run when not started that long after it is due' },
  backoff: { describe: 'Wait before a retry: fixed:10s, exponential:1s or exponential:1s:1h' },
};

export const taskFlags: Readonly<Record<string, Flag>> = {
  ...whenFlags,
  id: {
    describe:
      'Unique while the task lives, of tasks with a --key within that key; again it is a duplicate (default: a random id)',
  },
  key: { describe: 'Tasks of one key lie in one partition (default: each goes by its id)' },
  ...lastingFlags,
  'expires-at': { describe: 'Never run when not started by then' },
};

/** For a verb that names one task. */
export const keyFlag: Readonly<Record<'key', Flag>> = {
  key: { describe: 'The key it was added with, where an id alone may mean several tasks' },
};

export function keyOf(args: Arguments): TaskKey {
  const key = args.text('key');
  return key === undefined ? {} : { key };
}

const attemptsMax = 1_000_000;
/** Not the library's limit, which names the range; only what a number can be. */
const epochMs = { min: 0, max: Number.MAX_SAFE_INTEGER };

export function whenOf(args: Arguments): Pick<TaskOptions, 'in' | 'at'> {
  const given = Object.keys(whenFlags).filter((name) => args.text(name) !== undefined);
  if (given.length > 1) throw usage(`give only one of ${given.map((name) => `--${name}`).join(' and ')}`);
  const inText = args.text('in');
  const at = args.text('at') ?? args.whole('at-ms', epochMs);
  return { ...(inText !== undefined && { in: inText }), ...(at !== undefined && { at }) };
}

export function taskOptionsOf(args: Arguments): TaskOptions {
  const id = args.text('id');
  const expiresAt = args.text('expires-at');
  const lasting = lastingOptionsOf(args);
  if (expiresAt !== undefined && lasting.expiresIn !== undefined)
    throw usage('give only one of --expires-in and --expires-at');
  return {
    ...whenOf(args),
    ...(id !== undefined && { id }),
    ...lasting,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

export function lastingOptionsOf(args: Arguments): Omit<TaskOptions, 'id' | 'in' | 'at' | 'expiresAt'> {
  const key = args.text('key');
  const timeout = args.text('timeout');
  const expiresIn = args.text('expires-in');
  const maxAttempts = args.whole('max-attempts', { min: 1, max: attemptsMax });
  const backoff = backoffOf(args.text('backoff'));
  return {
    ...(key !== undefined && { key }),
    ...(timeout !== undefined && { timeout }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(backoff !== undefined && { backoff }),
  };
}

function backoffOf(text: string | undefined): TaskOptions['backoff'] {
  if (text === undefined) return undefined;
  const [type, delay, max, ...more] = text.split(':');
  if ((type !== 'fixed' && type !== 'exponential') || delay === undefined || more.length > 0) {
    throw usage(`--backoff must look like fixed:10s or exponential:1s:1h, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  return { type, delay, ...(max !== undefined && { max }) };
}
