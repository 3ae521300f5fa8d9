import type { LeaderInfo } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { print, printJson, timeText } from '../output.js';
import { noteIfNew, withQueue } from '../with-queue.js';

export const command: Command = {
  flags: {
    resign: { describe: 'Ask the leader to resign, and wait until it has; another takes over', isSwitch: true },
    ...json,
    ...connected,
  },
  examples: [
    ['leader-status mail', 'who leads, and since when'],
    ['leader-status mail --resign', 'before that machine goes down'],
  ],
  run: leaderStatus,
};

async function leaderStatus(args: Arguments): Promise<void> {
  const isResigning = args.on('resign');
  const { resigned, leader } = await withQueue(args, async (queue) => {
    return { resigned: isResigning ? await queue.resign() : null, leader: await queue.leader() };
  });
  if (args.on('json')) return printJson(isResigning ? { leader, resigned } : { leader });
  if (isResigning) print(resigned ? `resigned: ${lineOf(resigned)}` : 'nobody led');
  print(leader ? `leader: ${lineOf(leader)}` : 'leader: none');
  if (!leader) await noteIfNew(args);
}

function lineOf({ id, host, pid, term, since }: LeaderInfo): string {
  return `${id} on ${host} (pid ${pid}), term ${term}, since ${timeText(since)}`;
}
