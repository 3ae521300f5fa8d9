import type { Clock } from '../clock.js';
import { DuestreamError } from '../errors.js';
import { checkOptions } from '../options.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { type StatsReply, stats } from '../redis/scripts.generated.js';
import type { LeaderInfo, PartitionStats, QueueStats, StatsOptions } from './results.js';

type Stats = Extract<StatsReply, { status: 'ok' }>;
type Summed =
  | 'scheduled'
  | 'due'
  | 'ready'
  | 'active'
  | 'dead'
  | 'ended'
  | 'consumers'
  | 'unplaced'
  | 'schedules'
  | 'waits'
  | 'paused';

/** The figures of a queue: its partitions' figures, added up. */
export async function queueStats(
  queue: string,
  partitions: Partitions,
  options: StatsOptions = {},
): Promise<QueueStats> {
  checkOptions(options, ['byPartition']);
  const { byPartition = false } = options;
  const { text } = partitions.layout;
  const replies = await Promise.all(partitions.all.map((partition) => partition.run(stats, {})));
  if (partitions.layout.text !== text) return queueStats(queue, partitions, { byPartition }); // it has grown: there are more
  const sum = (field: Summed): number => replies.reduce((total, reply) => total + reply[field], 0);
  const [first] = replies as [Stats];
  return {
    queue,
    partitions: replies.length,
    former: partitions.layout.former,
    waiting: sum('waits'),
    paused: sum('paused') > 0,
    partlyPaused: sum('paused') > 0 && sum('paused') < replies.length,
    scheduled: sum('scheduled'),
    due: sum('due'),
    ready: sum('ready'),
    active: sum('active'),
    dead: sum('dead'),
    consumers: sum('consumers'),
    leader: leaderOf(first),
    ended: sum('ended'),
    unplaced: sum('unplaced'),
    oldestDueAgeMs: oldest(replies.map(dueAgeMs)),
    oldestReadyAgeMs: oldest(replies.map((reply) => ageMs(reply.oldestReadyMs, reply.nowMs))),
    schedules: sum('schedules'),
    nextSchedule: earliest(replies.map(({ nextScheduleMs }) => nextScheduleMs)),
    recoveryOnHold: replies.some((reply) => reply.holdMs > reply.nowMs),
    counts: addUp(replies.map((reply) => reply.counts)),
    ...(byPartition && { byPartition: replies.map(partitionStats) }),
  };
}

function partitionStats(reply: Stats, partition: number): PartitionStats {
  const { paused, waits, scheduled, due, ready, active, dead, consumers } = reply;
  return { partition, paused: paused === 1, waiting: waits === 1, scheduled, due, ready, active, dead, consumers };
}

/** Who leads, if anybody gave a sign of life within the lock's TTL. */
export async function currentLeader(partition: Partition): Promise<LeaderInfo | null> {
  return leaderOf(await partition.run(stats, {}));
}

/** Asks again and again, for a message can be missed, until it leads no more. 10 s at most, then ERR_OUTCOME_UNKNOWN. */
export async function askToResign(leader: LeaderInfo, home: Partition, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + 10_000;
  while (clock.monotonicMs() < endMs) {
    await home.caller.send(['PUBLISH', home.keys.wake, `resign ${leader.term}`]);
    await clock.sleep(50);
    if ((await currentLeader(home))?.term !== leader.term) return;
  }
  const message = `the leader ${leader.id} was asked to resign and still leads after 10s`;
  throw new DuestreamError('ERR_OUTCOME_UNKNOWN', message);
}

function leaderOf({ epoch, nowMs }: Stats): LeaderInfo | null {
  const [term, leader, sinceMs, seenMs, ttlMs] = epoch;
  if (!term || !leader || !seenMs || nowMs - Number(seenMs) > Number(ttlMs)) return null;
  const { id, host, pid } = JSON.parse(leader) as { id: string; host: string; pid: number };
  return { id, host, pid, term: Number(term), since: Number(sinceMs) };
}

/** What is due in a partition that still waits is not late: it has to wait. */
function dueAgeMs({ due, waits, oldestDueMs, nowMs }: Stats): number | null {
  return due === 0 || waits === 1 ? null : ageMs(oldestDueMs, nowMs);
}

function ageMs(sinceMs: number | null, nowMs: number): number | null {
  return sinceMs === null ? null : Math.max(0, nowMs - sinceMs);
}

function oldest(ages: readonly (number | null)[]): number | null {
  return ages.reduce((most, age) => (age !== null && (most === null || age > most) ? age : most), null);
}

function earliest(times: readonly (number | null)[]): number | null {
  return times.reduce((first, ms) => (ms !== null && (first === null || ms < first) ? ms : first), null);
}

function addUp(lists: readonly (readonly string[])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const list of lists) {
    for (let at = 0; at + 1 < list.length; at += 2) {
      const name = list[at] as string;
      counts[name] = (counts[name] ?? 0) + Number(list[at + 1]);
    }
  }
  return counts;
}
