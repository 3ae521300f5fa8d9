import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { print, printJson } from '../output.js';
import { payloadOf } from '../payload-text.js';
import { taskFlags, taskOptionsOf } from '../task-options.js';
import { withQueue } from '../with-queue.js';

export const command: Command = {
  flags: { ...taskFlags, ...json, ...connected },
  examples: [
    ['add mail welcome \'{"to":"a@b.c"}\'', 'due now'],
    ['add mail digest \'{"userId":7}\' --in 90m --id digest-7', 'once, however often it is called before it ran'],
    ['add mail report - --at 2027-01-01T09:00+01:00 < report.json', 'payload from stdin'],
  ],
  run: add,
};

async function add(args: Arguments): Promise<void> {
  const options = taskOptionsOf(args);
  const payload = await payloadOf(args.text('payload'));
  const result = await withQueue(args, (queue) => queue.add(args.word('name'), payload, options));
  if (args.on('json')) printJson(result);
  else print(`${result.id} ${result.status}`);
}
