import { Queue, type QueueInfo } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { codeOf, conflict, usage } from '../failure.js';
import { print, printJson } from '../output.js';
import { connectionOf } from '../redis-address.js';
import { noteIfNew, oneShot, withQueue } from '../with-queue.js';

const flags = { ...json, ...connected };
const partitionsMax = 1_024;

export const create: Command = {
  flags: { partitions: { describe: `How many partitions, 1 to ${partitionsMax} (default: 1)` }, ...flags },
  examples: [['queue create mail --partitions 8', 'before anything else uses it']],
  run: createQueue,
};

export const grow: Command = {
  flags: {
    partitions: { describe: `How many in all: a multiple of what it has, up to ${partitionsMax}. It can not shrink` },
    ...flags,
  },
  examples: [['queue grow mail --partitions 16', 'while it is at work: nothing is moved, lost or run twice']],
  run: growQueue,
};

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

/** One that is there stays as it is: that is no failure, unless it has another number of partitions. */
async function createQueue(args: Arguments): Promise<void> {
  const partitions = args.whole('partitions', { min: 1, max: partitionsMax });
  const told = partitions === undefined ? {} : { partitions };
  const queue = new Queue(args.word('queue'), { ...connectionOf(args), ...oneShot, ...told });
  try {
    const info = await queue.create();
    tellLayout(args, info);
  } catch (error) {
    if (codeOf(error) !== 'ERR_OTHER_LAYOUT') throw error;
    throw hasOtherNumber(await withQueue(args, (there) => there.create()), partitions);
  } finally {
    await queue.close();
  }
}

async function growQueue(args: Arguments): Promise<void> {
  const partitions = args.whole('partitions', { min: 1, max: partitionsMax });
  if (partitions === undefined) throw usage('queue grow needs --partitions: how many it shall have');
  await withQueue(args, async (queue) => tellLayout(args, await queue.grow(partitions)));
}

function tellLayout(args: Arguments, info: QueueInfo): void {
  const { queue, partitions, former } = info;
  if (args.on('json')) return printJson(info);
  const before =
    former.length === 0 ? '' : `; what it has of the ${former.join(' and ')} before is worked off where it is`;
  print(`${queue} has ${countOf(partitions)}${before}`);
}

function hasOtherNumber({ queue, partitions }: QueueInfo, wanted = partitions): Error {
  const larger = Math.ceil(wanted / partitions) * partitions; // a queue grows to a multiple
  const more =
    larger > partitions && larger <= partitionsMax
      ? `; to give it more: duestream queue grow ${queue} --partitions ${larger}`
      : '';
  return conflict(`queue ${queue} is there already, with ${countOf(partitions)}${more}`);
}

function countOf(partitions: number): string {
  return `${partitions} partition${partitions === 1 ? '' : 's'}`;
}

async function setPaused(args: Arguments, paused: boolean): Promise<void> {
  const name = await withQueue(args, async (queue) => {
    await Promise.all([noteIfNew(args), paused ? queue.pause() : queue.resume()]); // side by side: Redis may be away
    return queue.name;
  });
  if (args.on('json')) printJson({ queue: name, paused });
  else print(`${name} ${paused ? 'paused' : 'resumed'}`);
}
