import { durationMs, formatDuration } from './duration.js';
import { DuestreamError, messageOf } from './errors.js';
import { queuesKey } from './keys.js';
import { type Common, type CommonOptions, resolveCommon } from './options.js';
import type { QueueStats } from './producer/results.js';
import { queueStats } from './producer/stats.js';
import { clusterAddress } from './redis/cluster/cluster-options.js';
import { type ConnectionOption, defaultConnection } from './redis/connection.js';
import { Layout } from './redis/layout.js';
import { openServers, type Servers } from './redis/servers.js';
import type { Survey } from './redis/survey.js';
import { type Partition, Partitions } from './redis/partition.js';
import type { Caller } from './redis/script.js';
import { type Check, serverChecks } from './redis/server-checks.js';
import { checkQueueName } from './task.js';

export type { Check } from './redis/server-checks.js';

export type DoctorOptions = CommonOptions<ConnectionOption> & {
  /** Look at this queue only. Default: every queue there is. */
  readonly queue?: string;
};

export interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** The names of the queues under this prefix, sorted. */
export async function listQueues(options: CommonOptions<ConnectionOption> = {}): Promise<string[]> {
  return using(resolveCommon(options, defaultConnection), 'queues', queueNames);
}

/** Looks at the server and the queues, writes nothing, and says what is wrong. */
export async function doctor(options: DoctorOptions = {}): Promise<Diagnosis> {
  const common = resolveCommon(options, defaultConnection, ['queue']);
  const only = options.queue === undefined ? undefined : checkQueueName(options.queue);
  return using(common, 'doctor', async (servers) => {
    const survey = await servers.survey();
    const ofQueues = only === undefined ? allQueuesChecks(survey, servers, common) : queueChecks(only, servers, common);
    const checks = (
      await Promise.all([serverChecks(survey, { clock: common.clock, key: queuesKey(common.prefix) }), ofQueues])
    ).flat();
    return { ok: checks.every(({ ok }) => ok), checks };
  });
}

async function using<T>(
  common: Common<ConnectionOption>,
  purpose: 'queues' | 'doctor',
  look: (servers: Servers, common: Common<ConnectionOption>) => Promise<T>,
): Promise<T> {
  const servers = openServers(common, purpose);
  try {
    return await look(servers, common);
  } finally {
    await servers.stop();
  }
}

async function queueNames(servers: Servers, { prefix, connection }: Common<ConnectionOption>): Promise<string[]> {
  const names = queuesKey(prefix);
  try {
    return ((await servers.callerFor(names).send(['SMEMBERS', names])) as string[]).toSorted();
  } catch (error) {
    throw unreadable(error, clusterAddress(connection) !== undefined);
  }
}

/** A read that was lost has no outcome that could be unknown. In a cluster the list is on one master, the queues on all. */
function unreadable(error: unknown, isCluster: boolean): unknown {
  if (!(error instanceof DuestreamError)) return error;
  const code = error.code === 'ERR_OUTCOME_UNKNOWN' ? 'ERR_REDIS_UNREACHABLE' : error.code;
  const isAway = code === 'ERR_REDIS_UNREACHABLE' || error.message.startsWith('CLUSTERDOWN');
  const message =
    isCluster && isAway
      ? `the list of queues, which is on one master, can't be read, name a queue to do without it: ${error.message}`
      : error.message;
  return new DuestreamError(code, message, { cause: error });
}

/** In a cluster the list of queues may be away with its master, while the others are there to be looked at. */
async function allQueuesChecks(
  { uncovered }: Survey,
  servers: Servers,
  common: Common<ConnectionOption>,
): Promise<Check[]> {
  try {
    const names = await queueNames(servers, common);
    return (await Promise.all(names.map((name) => queueChecks(name, servers, common)))).flat();
  } catch (error) {
    if (uncovered === undefined) throw error;
    return [{ name: 'queues', ok: false, detail: messageOf(error) }];
  }
}

/** A consumer is stale when it has not beaten for three of its leases. */
const staleLeases = 3;

async function queueChecks(
  queue: string,
  servers: Servers,
  { prefix, clock, partitions: believed }: Common<ConnectionOption>,
): Promise<Check[]> {
  const at = { queue, prefix, callerFor: (key: string): Caller => servers.callerFor(key) };
  const layout = new Layout({ ...at, clock, believed });
  const partitions = new Partitions({ ...at, layout });
  try {
    await layout.read();
    const stats = await queueStats(queue, partitions);
    const waiting = stats.scheduled + stats.due;
    const lateMs = stats.oldestDueAgeMs ?? 0;
    const stale = (await Promise.all(partitions.all.map(staleConsumers))).reduce((sum, some) => sum + some, 0);
    const isStranded = stats.ready > 0 && stats.consumers === 0 && !stats.paused;
    return [
      {
        name: `${queue}: leader`,
        ok: stats.leader !== null || waiting === 0,
        detail: stats.leader
          ? `${stats.leader.host}:${stats.leader.pid}, term ${stats.leader.term}`
          : `nobody leads${waiting > 0 ? ` and ${waiting} ${waiting === 1 ? 'task waits for its' : 'tasks wait for their'} time: start a worker or a leader` : ''}`,
      },
      {
        name: `${queue}: promotion`,
        ok: !stats.partlyPaused && (stats.paused || lateMs < durationMs('5s', 'late')),
        detail: stats.paused
          ? pausedText(queue, stats)
          : `the head of the schedule is ${lateMs === 0 ? 'not late' : `${formatDuration(lateMs)} late`}`,
      },
      {
        name: `${queue}: tasks`,
        ok: stats.unplaced === 0,
        detail:
          stats.unplaced === 0
            ? 'each is in its place'
            : `${stats.unplaced} are neither scheduled nor in the stream: a leader puts them back, or doctor --repair`,
      },
      ...(stats.former.length > 0 ? [growthCheck(queue, stats)] : []),
      ...(await scheduleChecks(queue, partitions, stats)),
      {
        name: `${queue}: recovery`,
        ok: !stats.recoveryOnHold,
        detail: stats.recoveryOnHold ? 'on hold after an outage' : 'not on hold',
      },
      {
        name: `${queue}: consumers`,
        ok: stale === 0 && !isStranded,
        detail: isStranded
          ? `${stats.ready} tasks are ready and nobody consumes: start a worker`
          : `${stats.consumers}${stale > 0 ? `, ${stale} of them silent` : ''}`,
      },
    ];
  } catch (error) {
    return [{ name: `${queue}: layout`, ok: false, detail: messageOf(error) }];
  }
}

function pausedText(queue: string, { partlyPaused }: QueueStats): string {
  return partlyPaused
    ? `paused in some partitions only: repeat queue pause ${queue}, or queue resume ${queue}`
    : 'paused';
}

/** Only a leader ends a growth. */
function growthCheck(queue: string, { partitions, former, waiting, leader }: QueueStats): Check {
  const numbers = [...former.toReversed(), partitions].join(' → ');
  const waits =
    waiting > 0
      ? `${waiting} new partitions wait until what was due before has been handed out`
      : 'some tasks may still be where they were before, until they are due: nothing to do';
  const stands = 'nobody leads, so it does not go on: start a worker or a leader';
  return { name: `${queue}: growth`, ok: leader !== null, detail: `${numbers}; ${leader === null ? stands : waits}` };
}

/** None where no schedule wants to be looked at. Only a leader does that. */
async function scheduleChecks(queue: string, partitions: Partitions, { leader }: QueueStats): Promise<Check[]> {
  const late = (await Promise.all(partitions.all.map(lateSchedulesMs))).filter((ms) => ms !== undefined);
  if (late.length === 0) return [];
  const lateMs = Math.max(...late);
  const detail = `the first of them is ${lateMs === 0 ? 'not late' : `${formatDuration(lateMs)} late`}`;
  const stands = 'nobody leads, so none is fired: start a worker or a leader';
  const ok = leader !== null && lateMs < durationMs('10s', 'late');
  return [{ name: `${queue}: schedules`, ok, detail: leader === null ? stands : detail }];
}

/** How late the first of a partition is to be looked at; undefined: there is none. */
async function lateSchedulesMs({ caller, keys }: Partition): Promise<number | undefined> {
  const [, score] = (await caller.send(['ZRANGE', keys.upcoming, '0', '0', 'WITHSCORES'])) as [string?, string?];
  if (score === undefined) return undefined;
  const [seconds, micros] = (await caller.send(['TIME'])) as [string, string];
  return Math.max(0, Math.ceil(Number(seconds) * 1_000 + Number(micros) / 1_000 - Number(score)));
}

async function staleConsumers({ caller, keys }: Partition): Promise<number> {
  const [seconds] = (await caller.send(['TIME'])) as [string];
  const values = (await caller.send(['HVALS', keys.consumers])) as string[];
  return values.filter((value) => {
    const [leaseMs, beatMs] = value.split(' ').map(Number) as [number, number];
    return Number(seconds) * 1_000 - beatMs > staleLeases * leaseMs;
  }).length;
}
