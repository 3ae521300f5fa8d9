import type { AppliedSchedule, Queue, WantedSchedule } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { exitCodeOf, exitCodes, Failure, lineOf } from '../failure.js';
import { print, printJson } from '../output.js';
import { countText, diffText, isSameDiff } from '../schedule-diff.js';
import { readScheduleFile } from '../schedule-file.js';
import { withQueue } from '../with-queue.js';

export const apply: Command = {
  flags: {
    prune: { describe: 'Delete the schedules of the queue that are not in the file', isSwitch: true },
    'dry-run': { describe: 'Only show what would be done', isSwitch: true },
    ...json,
    ...connected,
  },
  examples: [
    ['schedule apply mail schedules.yaml --dry-run', 'what would be created, changed and deleted'],
    ['schedule apply mail schedules.yaml --prune', 'the schedules of mail are those of the file'],
  ],
  run: applyFile,
};

type Wanted = Readonly<Record<string, WantedSchedule>>;

async function applyFile(args: Arguments): Promise<void> {
  const wanted = await readScheduleFile(args.word('file'));
  const prune = args.on('prune');
  await withQueue(args, async (queue) => {
    const planned = await queue.schedules.apply(wanted, { prune, dryRun: true });
    const isJson = args.on('json');
    const diff = diffText(planned);
    if (!isJson && diff !== '') print(diff);
    if (args.on('dry-run'))
      return isJson ? printJson(planned) : print(`dry run, nothing is written: ${countText(planned)}`);
    const applied = await done(queue, wanted, prune);
    if (isJson) return printJson(applied);
    if (!isSameDiff(planned, applied))
      print(`others changed schedules meanwhile; so this was done:\n${diffText(applied)}`);
    print(countText(applied));
  });
}

/** Each schedule is written by itself: whoever gets an error wants to know that it can be repeated. */
async function done(queue: Queue, wanted: Wanted, prune: boolean): Promise<AppliedSchedule[]> {
  try {
    return await queue.schedules.apply(wanted, { prune });
  } catch (error) {
    if (exitCodeOf(error) === exitCodes.usage) throw error;
    throw new Failure(exitCodeOf(error), `${lineOf(error)}; what was written before stays: apply it again`, {
      cause: error,
    });
  }
}
