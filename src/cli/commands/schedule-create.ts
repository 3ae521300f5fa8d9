import type { AppliedSchedule, Queue, WantedSchedule } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { codeOf, conflict, lineOf, usage } from '../failure.js';
import { note, print, printJson, timeText } from '../output.js';
import { payloadOf } from '../payload-text.js';
import { fieldLines, isNeverFired, neverText } from '../schedule-diff.js';
import { policyFlags, policyOf, timingFlags, timingOf } from '../schedule-flags.js';
import { lastingFlags, lastingOptionsOf } from '../task-options.js';
import { isNewQueue, noteMadeQueue, withQueue } from '../with-queue.js';

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
  const replaces = args.on('replace');
  const given = args.whole('version', versionRange);
  if (given !== undefined && replaces) throw usage('--replace takes the version that comes next: leave out --version');
  const version = replaces ? undefined : (given ?? 1);
  const payload = await payloadOf(args.text('payload'));
  const task = { name: args.word('name'), payload, ...lastingOptionsOf(args) };
  const wanted = { ...timingOf(args), ...policyOf(args), version, task };
  const name = args.word('schedule');
  const applied = await withQueue(args, async (queue) => {
    const planned = await written(queue, name, { wanted, dryRun: true });
    if (planned.status === 'created' && (await isNewQueue(args))) noteMadeQueue(args);
    return written(queue, name, { wanted, dryRun: false });
  });
  const { status, next, changes } = applied;
  if (args.on('json')) printJson({ name, status, next });
  else print([textOf(applied), ...fieldLines(changes)].join('\n'));
  if (isNeverFired(applied)) note(neverText(applied));
}

/** Again, where somebody else has changed it between the look and the write. */
async function written(
  queue: Queue,
  name: string,
  { wanted, dryRun }: { wanted: WantedSchedule; dryRun: boolean },
): Promise<AppliedSchedule> {
  for (let tries = 1; ; tries += 1) {
    try {
      const [applied] = await queue.schedules.apply({ [name]: wanted }, { dryRun });
      return applied as AppliedSchedule;
    } catch (error) {
      const line = lineOf(error);
      if (line.endsWith('a higher version')) throw conflict(`${line}, with --version or --replace`);
      if (codeOf(error) !== 'ERR_CONFLICT' || tries >= triesMax) throw withoutName(error);
    }
  }
}

/** Which schedule is refused has not to be said where there is one. */
function withoutName(error: unknown): unknown {
  return error instanceof Error && codeOf(error.cause) === codeOf(error) ? error.cause : error;
}

function textOf({ name, status, next }: AppliedSchedule): string {
  const coming = next === null ? 'no time is left' : `next ${timeText(next)}`;
  if (status === 'older') return `${name} older: a higher version stands, and was left as it is; ${coming}`;
  return `${name} ${status}, ${coming}`;
}
