import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { print, printJson } from '../output.js';
import { noteIfNew, withQueue } from '../with-queue.js';

const flags = { ...json, ...connected };

export const pause: Command = {
  flags,
  examples: [['queue pause mail', 'tasks wait until it is resumed; what runs is finished']],
  run: (args) => setPaused(args, true),
};

export const resume: Command = {
  flags,
  examples: [['queue resume mail', 'what is due starts at once']],
  run: (args) => setPaused(args, false),
};

async function setPaused(args: Arguments, paused: boolean): Promise<void> {
  const name = await withQueue(args, async (queue) => {
    await noteIfNew(args);
    await (paused ? queue.pause() : queue.resume());
    return queue.name;
  });
  if (args.on('json')) printJson({ queue: name, paused });
  else print(`${name} ${paused ? 'paused' : 'resumed'}`);
}
