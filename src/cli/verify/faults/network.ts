import type { Actor } from '../actor.js';
import type { Cost } from '../history/records.js';
import type { Proxy } from '../proxy.js';
import type { Fault, Making } from './fault.js';
import { one } from './processes.js';

const latencyMs = 200;
const drip = { bytes: 2_048, everyMs: 4 };

/** Faults of the network: of one process, or, one time in four, of all at once. */
const networkFaultsOfOne: readonly Fault[] = [
  onNetwork('net-reset', [], async (proxies, { wait, draws }) => {
    for (let times = 0; times < 3; times += 1) {
      for (const proxy of proxies) proxy.reset();
      await wait(draws.between(50, 400));
    }
  }),
  onNetwork('net-cut-replies', [], async (proxies, { wait, draws }) => {
    for (const proxy of proxies) {
      proxy.cutWithin(draws.between(1, 300));
      proxy.cutAfter = () => draws.between(200, 20_000);
    }
    await wait(draws.between(1_000, 2_500));
  }),
  onNetwork('net-hole', ['leases'], async (proxies, making) => hole(proxies, 'both', making)),
  onNetwork('net-hole-requests', ['leases'], async (proxies, making) => hole(proxies, 'requests', making)),
  onNetwork('net-hole-replies', ['leases'], async (proxies, making) => hole(proxies, 'replies', making)),
  {
    // Mostly of the one that leads, and from the lock nodes too; one time in two what it asks for is done all the same.
    name: 'leader-cut-off',
    plan: (arena, draws) => {
      const actor = one(arena, 'leader', draws);
      return { target: actor.name, costs: [], holds: [actor.name], run: (making) => cutOff(actor, making) };
    },
  },
  onNetwork('net-latency', [], async (proxies, { wait, draws }) => {
    for (const proxy of proxies) proxy.delay(latencyMs);
    await wait(draws.between(1_500, 3_000));
  }),
  onNetwork('net-drip', ['leases'], async (proxies, { wait, draws }) => {
    for (const proxy of proxies) proxy.drip(drip.bytes, drip.everyMs);
    await wait(draws.between(1_500, 3_000));
  }),
  {
    // What a leader sent before it was cut off arrives when another leads; what it sent on a connection it gave up, too.
    name: 'net-late-requests',
    plan: (arena, draws) => {
      const actor = arena.leading ?? draws.pick(arena.actors);
      return {
        target: actor.name,
        costs: actor.role === 'worker' ? ['leases'] : [],
        holds: [actor.name],
        run: async ({ wait }) => {
          for (const proxy of actor.proxies) proxy.keepRequests();
          await wait(arena.plan.lockTtlMs * draws.between(2, 4));
          for (const proxy of actor.proxies) proxy.heal();
        },
      };
    },
  },
];

/** Of a cluster the processes learn where its nodes are, and go there. */
export const networkFaults: readonly Fault[] = networkFaultsOfOne.map((fault) => ({
  ...fault,
  missing: ({ cluster }) => cluster && 'its processes reach the nodes of a cluster directly',
}));

async function hole(
  proxies: readonly Proxy[],
  direction: 'requests' | 'replies' | 'both',
  { arena, wait, draws }: Making,
): Promise<void> {
  for (const proxy of proxies) proxy.blackHole(direction);
  await wait(arena.plan.leaseMs * draws.between(0.3, 2));
}

async function cutOff({ proxies }: Actor, { arena, wait, draws }: Making): Promise<void> {
  const direction = draws.pick(['both', 'replies'] as const);
  for (const proxy of proxies) proxy.blackHole(direction);
  await wait(arena.plan.lockTtlMs * draws.between(1.5, 4));
  for (const proxy of proxies) proxy.heal();
}

function onNetwork(
  name: string,
  costs: readonly Cost[],
  run: (proxies: readonly Proxy[], making: Making) => Promise<void>,
): Fault {
  return {
    name,
    plan: (arena, draws) => {
      const targets: readonly Actor[] = draws.next() < 0.25 ? arena.actors : [draws.pick(arena.actors)];
      return {
        target: targets.length === 1 ? (targets[0]?.name ?? '') : 'all',
        costs,
        holds: targets.map((actor) => actor.name),
        run: async (making) => {
          const proxies = targets.flatMap((actor) => actor.proxies);
          await run(proxies, making);
          for (const proxy of proxies) proxy.heal();
        },
      };
    },
  };
}
