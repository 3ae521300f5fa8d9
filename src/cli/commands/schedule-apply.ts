import type { AppliedSchedule, Queue, WantedSchedule } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { conflict, exitCodeOf, exitCodes, Failure, lineOf } from '../failure.js';
import { note, print, printJson } from '../output.js';
import { countText, diffText, isNeverFired, isSameDiff, neverText } from '../schedule-diff.js';
import { readScheduleFile } from '../schedule-file.js';
import { isNewQueue, noteMadeQueue, withQueue } from '../with-queue.js';

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
    const planned = await refusalsTold(queue.schedules.apply(wanted, { prune, dryRun: true }), wanted);
    if (planned.some(isCreated) && (await isNewQueue(args))) noteMadeQueue(args);
    const isJson = args.on('json');
    const isDry = args.on('dry-run');
    const diff = diffText(planned);
    if (!isJson && diff !== '') print(diff);
    const applied = isDry ? planned : await done(queue, wanted, prune);
    if (isJson) printJson(applied);
    else if (isDry) print(`dry run, nothing is written: ${countText(planned)}`);
    else {
      if (!isSameDiff(planned, applied))
        print(`others changed schedules meanwhile; so this was done:\n${diffText(applied)}`);
      print(countText(applied));
    }
    tellWhatIsNot(applied);
  });
}

function isCreated({ status }: AppliedSchedule): boolean {
  return status === 'created';
}

/** A line for each of several that are refused. */
async function refusalsTold<T>(applying: Promise<T>, wanted: Wanted): Promise<T> {
  try {
    return await applying;
  } catch (error) {
    const refusals = error instanceof Error && error.cause instanceof AggregateError ? error.cause.errors : [];
    if (refusals.length === 0) throw error;
    for (const one of refusals) note(lineOf(one));
    const of = `${refusals.length} of ${Object.keys(wanted).length} schedules`;
    throw new Failure(exitCodeOf(error), `${of} are refused, and nothing was written`, { cause: error });
  }
}

/** Those that will fire nothing, and those of a lower version than stands: the file is not what is there. */
function tellWhatIsNot(applied: readonly AppliedSchedule[]): void {
  for (const one of applied.filter(isNeverFired)) note(neverText(one));
  const older = applied.filter(({ status }) => status === 'older').map(({ name }) => name);
  if (older.length === 0) return;
  throw conflict(`not applied, for a higher version stands: ${older.join(', ')}`);
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
