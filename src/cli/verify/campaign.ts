import { scheduler } from 'node:timers/promises';
import { Arena } from './arena.js';
import { failoverFaults } from './faults/failover.js';
import type { Fault } from './faults/fault.js';
import { clusterDeck, faults } from './faults/faults.js';
import { nowMs } from './history/instant.js';
import { HistoryWriter } from './history/writer.js';
import { Nemesis } from './nemesis.js';
import type { Plan } from './plan.js';
import { Seeded } from './seeded.js';
import { Watch } from './watch.js';

export interface CampaignParts {
  readonly plan: Plan;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

const beforeMs = 2_500;
/** Longer than it may take until work goes on, so that there is something to judge it by. */
const calmMsMore = 4_500;
const lookMs = 200;
const reapedMsMax = 15_000;
/** Of a schedule that waits for a leader to move it. */
const resumedMsMax = 5_000;

/**
 * One campaign, from the first process to the last line of its history: calm, faults, calm, drain, stop. It judges
 * nothing: the checker does, by the history alone.
 */
export async function runCampaign({ plan, signal, tell }: CampaignParts): Promise<void> {
  const writer = new HistoryWriter(plan.historyFolder, 'nemesis');
  const { seed, seconds, form, leaseMs, lockTtlMs } = plan;
  const { appendonly, lockNodes, servers, minReplicas, partitions, durability } = plan;
  const ownRedis = plan.connection === undefined;
  const kind = { replicated: servers === 'replicated', cluster: servers === 'cluster' };
  const variant = { ownRedis, appendonly, lockNodes, ...kind, minReplicas, partitions, durability };
  writer.note({ what: 'plan', seed, seconds, form, leaseMs, lockTtlMs, ...variant });
  const draws = new Seeded(seed);
  tell('starting Redis, and the processes around it');
  const arena = await Arena.open({ plan, draws: draws.branch(), writer, onTrouble: tell });
  const watch = new Watch(arena, writer);
  try {
    watch.start();
    await arena.cast();
    await arena.recurring.create();
    writer.note({ what: 'phase', phase: 'load' });
    tell('at work');
    await pause(beforeMs, signal);
    await breakThings({ arena, draws: draws.branch(), writer, signal, tell });
    if (!signal.aborted) await wind(arena, watch, { writer, signal, tell });
  } finally {
    await watch.stop();
    await arena.close();
    writer.close();
  }
}

interface Scene {
  readonly writer: HistoryWriter;
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

async function breakThings({ arena, draws, ...scene }: Scene & { arena: Arena; draws: Seeded }): Promise<void> {
  const { writer, signal, tell } = scene;
  const { plan } = arena;
  const chosen = chosenFaults(arena);
  const nemesis = new Nemesis({ arena, faults: chosen, draws, writer, onFault: tell });
  for (let half = 1; half <= 2; half += 1) {
    writer.note({ what: 'phase', phase: 'faults' });
    const over = new AbortController();
    const ended = pause(plan.seconds * 500, signal).then(() => over.abort());
    await nemesis.run(plan.lanes, over.signal);
    await ended;
    await until(async () => arena.recurring.resume().then(() => true), resumedMsMax, signal);
    writer.note({ what: 'phase', phase: 'calm' });
    await pause(plan.leaseMs + plan.lockTtlMs + calmMsMore, signal);
  }
  tell(`faults made: ${nemesis.made}; now the rest is worked off`);
}

/** Those that were named, or the deck: of a replicated Redis its failovers, of a cluster what can be made there. */
function chosenFaults({ plan }: Arena): Fault[] {
  if (plan.faults !== undefined) return faults.filter(({ name }) => plan.faults?.includes(name));
  if (plan.servers === 'replicated') return [...failoverFaults];
  if (plan.servers === 'cluster') return [...clusterDeck];
  return faults.filter(({ alone = false }) => !alone);
}

/** No more tasks; all that there are come to their end; then everybody leaves, in good order. */
async function wind(arena: Arena, watch: Watch, { writer, signal, tell }: Scene): Promise<void> {
  const { plan } = arena;
  writer.note({ what: 'phase', phase: 'drain' });
  await Promise.all([
    arena.recurring.end(),
    ...arena.of('producer').map((actor) => actor.ask({ type: 'quiet' }, 'quiet')),
  ]);
  const drainMsMax = 30_000 + 10 * plan.leaseMs;
  const drained = await until(async () => (await watch.unended()) === 0, drainMsMax, signal);
  if (!drained) tell('not all tasks came to their end');
  if (plan.form === 'long') {
    // The dead are forgotten ten leases after their last beat, at the reaper's next look.
    await until(
      async () => (await watch.consumers()) <= plan.workers * arena.partitions.length,
      10 * plan.leaseMs + reapedMsMax,
      signal,
    );
  }
  writer.note({ what: 'phase', phase: 'drained' });
  await watch.noteLeft();
  const cut = arena.actors.flatMap(({ proxies }) => proxies).reduce((sum, { cuts }) => sum + cuts, 0);
  writer.note({ what: 'replies', cut });
  await Promise.all(arena.of('producer').map((actor) => actor.stop()));
  await Promise.all(arena.of('worker').map((actor) => actor.stop()));
  await Promise.all(arena.of('leader').map((actor) => actor.stop()));
  writer.note({ what: 'phase', phase: 'stopped' });
  await watch.noteLeft();
  await watch.noteAudit();
}

async function until(holds: () => Promise<boolean>, msMax: number, signal: AbortSignal): Promise<boolean> {
  const endMs = nowMs() + msMax;
  while (!signal.aborted && nowMs() < endMs) {
    if (await holds().catch(() => false)) return true;
    await pause(lookMs, signal);
  }
  return false;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await scheduler.wait(ms, { signal }).catch(() => {});
}
