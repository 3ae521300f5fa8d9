import type { Queue, ScheduleResult, WantedSchedule } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { codeOf, conflict, lineOf, usage } from '../failure.js';
import { print, printJson, timeText } from '../output.js';
import { payloadOf } from '../payload-text.js';
import { policyFlags, policyOf, timingFlags, timingOf } from '../schedule-flags.js';
import { lastingFlags, lastingOptionsOf } from '../task-options.js';
import { withQueue } from '../with-queue.js';

export const create: Command = {
  flags: {
    ...timingFlags,
    ...policyFlags,
    version: { describe: 'To be raised with each change; a lower one than stands changes nothing (default: 1)' },
    replace: {
      describe:
        'Instead: the version that stands, or the next one where this is another. It replaces all: what is not given goes back to its default',
      isSwitch: true,
    },
    key: { describe: 'Tasks of one key lie in one partition (default: the name of the schedule)' },
    ...lastingFlags,
    ...json,
    ...connected,
  },
  examples: [
    ["schedule create mail nightly report --cron '0 3 * * *' --tz Europe/Berlin", 'a task each night'],
    ['schedule create mail poll fetch \'{"feed":7}\' --every 90s --overlap skip', 'none while the former is at work'],
    ["schedule create mail nightly report --cron '0 4 * * *' --tz Europe/Berlin --replace", 'as a whole, from now on'],
  ],
  run: createSchedule,
};

const versionRange = { min: 1, max: Number.MAX_SAFE_INTEGER };
/** Between a look and the write after it somebody else may have changed it: then again, but not for ever. */
const triesMax = 5;

async function createSchedule(args: Arguments): Promise<void> {
  const version = args.whole('version', versionRange);
  const replaces = args.on('replace');
  if (version !== undefined && replaces)
    throw usage('--replace takes the version that comes next: leave out --version');
  const options = { ...timingOf(args), ...policyOf(args), ...(version !== undefined && { version }) };
  const payload = await payloadOf(args.text('payload'));
  const task = { name: args.word('name'), payload, ...lastingOptionsOf(args) };
  const name = args.word('schedule');
  const result = await withQueue(args, (queue) => {
    if (replaces) return replaced(queue, name, { ...options, task });
    return queue.schedule(name, options, task).catch((error: unknown) => {
      throw lineOf(error).endsWith('a higher version')
        ? conflict(`${lineOf(error)}, with --version or --replace`)
        : error;
    });
  });
  if (args.on('json')) printJson(result);
  else print(textOf(result));
}

async function replaced(queue: Queue, name: string, wanted: WantedSchedule): Promise<ScheduleResult> {
  for (let tries = 1; ; tries += 1) {
    try {
      const [applied] = await queue.schedules.apply({ [name]: wanted });
      return { name, status: applied?.status as ScheduleResult['status'], next: applied?.next ?? null };
    } catch (error) {
      if (codeOf(error) === 'ERR_CONFLICT' && tries < triesMax) continue;
      throw withoutName(error);
    }
  }
}

/** Which schedule is meant has not to be said where there is one. */
function withoutName(error: unknown): unknown {
  return error instanceof Error && codeOf(error.cause) !== '' ? error.cause : error;
}

function textOf({ name, status, next }: ScheduleResult): string {
  const coming = next === null ? 'no time is left' : `next ${timeText(next)}`;
  if (status === 'older') return `${name} older: a higher version stands, and was left as it is; ${coming}`;
  return `${name} ${status}, ${coming}`;
}
