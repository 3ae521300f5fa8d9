import { Leader } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, type Flag } from '../command.js';
import { note } from '../output.js';
import { lockNodesOf } from '../redis-address.js';
import { roleFlags, runRole } from '../role.js';

const flags: Readonly<Record<string, Flag>> = {
  ...roleFlags,
  verbose: { describe: 'A line on stderr for each command that fails in an outage', isSwitch: true },
  ...connected,
};

export const command: Command = {
  flags,
  examples: [
    ['leader mail', 'leads, or stands by to'],
    ['leader mail --lock-nodes redis://a:6379,redis://b:6379,redis://c:6379', 'three servers vote'],
  ],
  run: runLeader,
};

async function runLeader(args: Arguments): Promise<number> {
  const lockTtl = args.text('lock-ttl');
  const lockNodes = lockNodesOf(args);
  const options = { ...(lockTtl !== undefined && { lockTtl }), ...(lockNodes !== undefined && { lockNodes }) };
  return runRole(args, {
    kind: 'leader',
    detail: 'leads or stands by',
    make: (queue, shared) => {
      const leader = new Leader(queue, { ...shared, ...options });
      leader.on('elected', ({ term }) => note(`${queue}: leads, term ${term}`));
      leader.on('stepped_down', ({ reason }) => note(`${queue}: leads no more: ${reason}`));
      return leader;
    },
  });
}
