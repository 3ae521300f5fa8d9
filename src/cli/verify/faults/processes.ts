import type { Actor } from '../actor.js';
import type { Arena } from '../arena.js';
import type { Cost, RoleName } from '../history/records.js';
import type { Seeded } from '../seeded.js';
import type { Fault, Making } from './fault.js';

/** How long a process that was killed stays away. */
const awayMs = { min: 100, max: 1_500 };
/** Each way; a call to a lock node may take a tenth of the lock's TTL. */
const replyMs = 30;
/** A worker that was told to die does so within this, or is killed. */
const chanceMs = 2_000;

/** Faults of one process: killed, frozen, or too busy to say anything. */
export const processFaults: readonly Fault[] = [
  onOne('worker-kill', { role: 'worker', costs: ['leases'] }, async (actor, { wait, draws }) => {
    await actor.kill();
    await comeBack(actor, { wait, draws });
  }),
  onOne('worker-kill-in-handler', { role: 'worker', costs: ['leases'] }, async (actor, { wait, draws }) => {
    await actor.dies({ type: 'die', where: 'handler' }, chanceMs);
    await comeBack(actor, { wait, draws });
  }),
  onOne('worker-kill-before-settle', { role: 'worker', costs: ['leases'] }, async (actor, { wait, draws }) => {
    await actor.dies({ type: 'die', where: 'before_settle' }, chanceMs);
    await comeBack(actor, { wait, draws });
  }),
  onOne('worker-freeze', { role: 'worker', costs: ['leases'] }, async (actor, { arena, wait, draws }) => {
    await freeze(actor, wait(arena.plan.leaseMs * draws.between(1.2, 2)));
  }),
  onOne('worker-block', { role: 'worker', costs: ['leases'] }, async (actor, { arena, wait, draws }) => {
    const ms = Math.round(arena.plan.leaseMs * draws.between(1.1, 1.6));
    actor.order({ type: 'block', ms });
    await wait(ms);
  }),
  onOne('leader-kill', { role: 'leader', costs: [] }, async (actor, { wait, draws }) => {
    await actor.kill();
    await comeBack(actor, { wait, draws });
  }),
  onOne('leader-freeze', { role: 'leader', costs: [] }, async (actor, { arena, wait, draws }) => {
    await freeze(actor, wait(arena.plan.lockTtlMs * draws.between(1.5, 5)));
  }),
  onOne('leader-freeze-in-vote', { role: 'leader', costs: [] }, async (actor, making) => {
    const { arena, draws, wait } = making;
    await untilItVotes(actor, making);
    if (draws.next() < 0.5) await freeze(actor, wait(arena.plan.lockTtlMs * draws.between(1.5, 3)));
    else await freezeBriefly(actor, making);
    for (const proxy of actor.proxies) proxy.heal();
  }),
  onOne('producer-kill', { role: 'producer', costs: [] }, async (actor, { wait, draws }) => {
    await actor.kill();
    await comeBack(actor, { wait, draws });
  }),
  {
    name: 'restart-rolling',
    plan: (arena) => ({
      target: 'all',
      costs: [],
      holds: [...arena.of('worker'), ...arena.of('leader')].map(({ name }) => name),
      run: async ({ arena, wait }) => {
        for (const actor of [...arena.of('worker'), ...arena.of('leader')]) {
          await actor.stop();
          await actor.start();
          await wait(200);
        }
      },
    }),
  },
];

/** A fault of one actor: for a leader mostly the one that leads, for there the fault is felt. */
function onOne(
  name: string,
  { role, costs }: { role: RoleName; costs: readonly Cost[] },
  run: (actor: Actor, making: Making) => Promise<void>,
): Fault {
  return {
    name,
    plan: (arena, draws) => {
      const actor = one(arena, role, draws);
      return { target: actor.name, costs, holds: [actor.name], run: (making) => run(actor, making) };
    },
  };
}

export function one(arena: Arena, role: RoleName, draws: Seeded): Actor {
  const leading = role === 'leader' && draws.next() < 0.8 ? arena.leading : undefined;
  return leading ?? draws.pick(arena.of(role));
}

async function comeBack(actor: Actor, { wait, draws }: Pick<Making, 'wait' | 'draws'>): Promise<void> {
  await wait(draws.between(awayMs.min, awayMs.max));
  await actor.start();
}

/** A call to a lock node is under way; its reply comes when the process does not look. */
async function untilItVotes({ proxies }: Actor, { wait, arena }: Making): Promise<void> {
  const votes = new Promise<void>((resolve) => {
    for (const proxy of proxies) {
      proxy.delay(replyMs);
      proxy.onRequest = (chunk) => {
        if (chunk.includes(':lock')) resolve();
      };
    }
  });
  await Promise.race([votes, wait(2 * arena.plan.lockTtlMs)]);
  for (const proxy of proxies) proxy.onRequest = undefined;
}

/** Not for so long that its seat falls by itself; and what it then hears of its lock is the last it hears of it. */
async function freezeBriefly(actor: Actor, { arena, draws, wait }: Making): Promise<void> {
  const { lockTtlMs } = arena.plan;
  await freeze(actor, wait(lockTtlMs * draws.between(0.3, 0.42)));
  await wait(replyMs);
  for (const proxy of actor.proxies) proxy.blackHole('requests');
  await wait(2 * lockTtlMs);
}

async function freeze(actor: Actor, over: Promise<void>): Promise<void> {
  actor.signal('SIGSTOP');
  await over;
  actor.signal('SIGCONT');
}
