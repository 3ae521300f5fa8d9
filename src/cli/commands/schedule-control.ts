import { type Command, connected, json } from '../command.js';
import { print, printJson, timeText } from '../output.js';
import { withQueue } from '../with-queue.js';
import { unknownSchedule } from './schedule-views.js';

const flags = { ...json, ...connected };

export const pause: Command = {
  flags: { note: { describe: 'Why, for whoever looks at it' }, ...flags },
  examples: [["schedule pause mail nightly --note 'the warehouse moves'", 'fires nothing until it is resumed']],
  run: async (args) => {
    const note = args.text('note');
    const info = await withQueue(args, (queue) =>
      queue.schedules.pause(args.word('schedule'), note === undefined ? {} : { note }),
    );
    if (args.on('json')) printJson(info);
    else print(`${info.name} paused`);
  },
};

export const resume: Command = {
  flags,
  examples: [['schedule resume mail nightly', 'what came in the pause is caught up with as its --catch-up says']],
  run: async (args) => {
    const info = await withQueue(args, (queue) => queue.schedules.resume(args.word('schedule')));
    if (args.on('json')) printJson(info);
    else print(`${info.name} resumed, ${info.next === null ? 'no time is left' : `next ${timeText(info.next)}`}`);
  },
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
