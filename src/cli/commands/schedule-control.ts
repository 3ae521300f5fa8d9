import type { ScheduleInfo } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { print, printJson, timeText } from '../output.js';
import { pauseText } from '../schedule-text.js';
import { withQueue } from '../with-queue.js';
import { unknownSchedule } from './schedule-views.js';

const flags = { ...json, ...connected };

export const pause: Command = {
  flags: { note: { describe: 'Why, for whoever looks at it' }, ...flags },
  examples: [["schedule pause mail nightly --note 'the warehouse moves'", 'fires nothing until it is resumed']],
  run: pauseSchedule,
};

export const resume: Command = {
  flags,
  examples: [['schedule resume mail nightly', 'what came in the pause is caught up with as its --catch-up says']],
  run: resumeSchedule,
};

export const trigger: Command = {
  flags,
  examples: [['schedule trigger mail nightly', 'its task once, now, whatever the rule says']],
  run: async (args) => {
    const result = await withQueue(args, (queue) => queue.schedules.trigger(args.word('schedule')));
    if (args.on('json')) printJson(result);
    else print(`${result.id} ${result.status}`);
  },
};

export const remove: Command = {
  flags,
  examples: [['schedule delete mail nightly', 'fires nothing any more; what is in the queue stays there']],
  run: async (args) => {
    const result = await withQueue(args, (queue) => queue.schedules.delete(args.word('schedule')));
    if (args.on('json')) printJson(result);
    if (result.status === 'not_found') throw unknownSchedule(args);
    if (!args.on('json')) print(`${result.name} deleted`);
  },
};

/** A schedule before and after: which says what was done to it. */
interface Changed {
  readonly was: ScheduleInfo | null;
  readonly info: ScheduleInfo;
}

async function pauseSchedule(args: Arguments): Promise<void> {
  const note = args.text('note');
  const name = args.word('schedule');
  const { was, info } = await withQueue(args, async ({ schedules }): Promise<Changed> => {
    return { was: await schedules.get(name), info: await schedules.pause(name, { note }) };
  });
  if (args.on('json')) return printJson(info);
  if (was?.paused && info.paused) return print(`${name} was paused already, ${pauseText(info.paused)}`);
  print(`${name} paused${was?.state === 'finished' ? '; it was finished, no time is left' : ''}`);
}

async function resumeSchedule(args: Arguments): Promise<void> {
  const name = args.word('schedule');
  const { was, info } = await withQueue(args, async ({ schedules }): Promise<Changed> => {
    return { was: await schedules.get(name), info: await schedules.resume(name) };
  });
  if (args.on('json')) printJson(info);
  else print(`${name} ${resumedText(was, info)}`);
}

/** Of a paused one `upcoming` begins with what is still to come: what is before that came in the pause. */
function resumedText(was: ScheduleInfo | null, { next, policy }: ScheduleInfo): string {
  if (!was?.paused) return `was not paused, ${comingText(next)}`;
  const [comingMs = null] = was.upcoming;
  if (next === null || comingMs === next) return `resumed, ${comingText(next)}`;
  const catchUp = typeof policy.catchUp === 'string' ? policy.catchUp : `all:${policy.catchUp.all}`;
  return `resumed, ${comingText(comingMs)}; what came since ${timeText(next)} is dealt with first, catch up: ${catchUp}`;
}

function comingText(nextMs: number | null): string {
  return nextMs === null ? 'no time is left' : `next ${timeText(nextMs)}`;
}
