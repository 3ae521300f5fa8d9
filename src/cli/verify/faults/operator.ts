import type { Cost } from '../history/records.js';
import type { Fault, Making } from './fault.js';

/** What an operator's hand can do to a queue: by the keys of docs/wire-format.md. */
export const operatorFaults: readonly Fault[] = [
  byHand('stream-deleted', ['group'], async ({ arena, draws }) => {
    await arena.link.send(['DEL', arena.key('stream', draws.pick(arena.partitions))]);
  }),
  byHand('group-destroyed', ['group'], async ({ arena, draws }) => {
    await arena.link.send(['XGROUP', 'DESTROY', arena.key('stream', draws.pick(arena.partitions)), 'workers']);
  }),
  byHand('stream-of-wrong-type', [], async ({ arena, wait, draws }) => {
    const partition = draws.pick(arena.partitions);
    const [stream, aside] = [arena.key('stream', partition), arena.key('aside', partition)];
    await arena.link.send(['EVAL', moveAside, '2', stream, aside]);
    await wait(draws.between(300, 1_500));
    await arena.link.send(['EVAL', moveBack, '2', stream, aside]);
  }),
  {
    name: 'queue-grown',
    plan: () => ({ target: 'operator', costs: [], holds: ['layout'], run: growQueue }),
  },
  {
    name: 'schedules-paused',
    plan: () => ({ target: 'operator', costs: [], holds: ['schedules'], run: pauseSchedules }),
  },
];

const partitionsMax = 24;

/** Whatever else is broken meanwhile; then the processes see to what was begun. */
async function growQueue({ arena, wait, draws }: Making): Promise<void> {
  const partitions = arena.partitions.length * 2;
  if (partitions <= partitionsMax) await arena.grow(partitions).catch(() => {});
  await wait(draws.between(300, 1_500));
}

/** What comes in the pause is caught up with. What can't be resumed now is when it is calm. */
async function pauseSchedules({ arena, wait, draws }: Making): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    await arena.recurring.pause();
    await wait(draws.between(700, 1_500));
    await arena.recurring.resume().catch(() => {});
    await wait(draws.between(0, 500));
  }
}

const moveAside = `redis.call('RENAME', KEYS[1], KEYS[2]) return redis.call('SET', KEYS[1], 'in the way')`;
const moveBack = `return redis.call('RENAME', KEYS[2], KEYS[1])`;

function byHand(name: string, costs: readonly Cost[], run: (making: Making) => Promise<void>): Fault {
  return { name, plan: () => ({ target: 'operator', costs, holds: ['redis'], run }) };
}
