import { durationMs, formatDuration } from './duration.js';
import { messageOf } from './errors.js';
import { queuesKey } from './keys.js';
import { type Common, type CommonOptions, resolveCommon } from './options.js';
import { queueStats } from './producer/stats.js';
import { type ConnectionOption, defaultConnection } from './redis/connection.js';
import { Layout } from './redis/layout.js';
import { openServers, type Servers } from './redis/servers.js';
import { type Partition, Partitions } from './redis/partition.js';
import type { Caller } from './redis/script.js';
import { type Suitability, suitabilityOf } from './redis/suitability.js';
import { checkQueueName } from './task.js';

export type DoctorOptions = CommonOptions<ConnectionOption> & {
  /** Look at this queue only. Default: every queue there is. */
  readonly queue?: string;
};

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Nothing is wrong, but a risk is taken: Redis can lose what it has acknowledged. */
  readonly risk?: true;
  readonly detail: string;
}

export interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** The names of the queues under this prefix, sorted. */
export async function listQueues(options: CommonOptions<ConnectionOption> = {}): Promise<string[]> {
  return using(resolveCommon(options, defaultConnection), queueNames);
}

/** Looks at the server and the queues, writes nothing, and says what is wrong. */
export async function doctor(options: DoctorOptions = {}): Promise<Diagnosis> {
  const common = resolveCommon(options, defaultConnection, ['queue']);
  const only = options.queue === undefined ? undefined : checkQueueName(options.queue);
  return using(common, async (servers) => {
    const checks = await serverChecks(servers.callerFor(queuesKey(common.prefix)), common);
    const names = only === undefined ? await queueNames(servers, common) : [only];
    for (const name of names) checks.push(...(await queueChecks(name, servers, common)));
    return { ok: checks.every(({ ok }) => ok), checks };
  });
}

async function using<T>(
  common: Common<ConnectionOption>,
  look: (servers: Servers, common: Common<ConnectionOption>) => Promise<T>,
): Promise<T> {
  const servers = openServers(common, 'doctor');
  try {
    return await look(servers, common);
  } finally {
    await servers.stop();
  }
}

async function queueNames(servers: Servers, { prefix }: Common<ConnectionOption>): Promise<string[]> {
  const names = queuesKey(prefix);
  return ((await servers.callerFor(names).send(['SMEMBERS', names])) as string[]).toSorted();
}

async function serverChecks(link: Caller, { clock }: Common<ConnectionOption>): Promise<Check[]> {
  const found = await suitabilityOf(link);
  const [seconds, micros] = (await link.send(['TIME'])) as [string, string];
  const aheadMs = Math.round(Number(seconds) * 1_000 + Number(micros) / 1_000 - clock.wallMs());
  const tooOld = found.problems.some((problem) => problem.includes('too old'));
  return [
    { name: 'version', ok: !tooOld, detail: `Redis ${found.version}${tooOld ? ': 7.0 or newer is needed' : ''}` },
    {
      name: 'eviction',
      ok: found.eviction === 'noeviction' || found.eviction === 'unknown',
      detail:
        found.eviction === 'noeviction'
          ? 'noeviction'
          : `maxmemory-policy is ${found.eviction}: tasks may be evicted, set it to noeviction`,
    },
    persistenceCheck(found.persistence),
    replicationCheck(found.replicas),
    {
      name: 'clock',
      ok: Math.abs(aheadMs) < 2_000,
      detail: `the server's clock is ${formatDuration(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`,
    },
  ];
}

function persistenceCheck(persistence: Suitability['persistence']): Check {
  const detail: Readonly<Record<typeof persistence, string>> = {
    always: 'AOF, fsync always: nothing acknowledged is lost',
    everysec: 'AOF, fsync everysec: a power loss may cost the last second',
    no: 'AOF without fsync: a power loss may cost what the system had not written yet',
    'rdb only': 'no AOF: a crash costs all since the last snapshot, set appendonly yes',
    none: 'no persistence: a restart costs everything, set appendonly yes',
    'no aof': 'no AOF: a crash costs at least what came since the last snapshot, set appendonly yes',
    unknown: 'unknown: CONFIG is not allowed here',
  };
  const lossy = ['rdb only', 'none', 'no aof'];
  const isRisk = persistence === 'everysec' || persistence === 'no';
  return {
    name: 'persistence',
    ok: !lossy.includes(persistence),
    ...(isRisk && { risk: true }),
    detail: detail[persistence],
  };
}

function replicationCheck({ connected, needed }: Suitability['replicas']): Check {
  const name = 'replication';
  if (needed) return { name, ok: true, detail: `min-replicas-to-write is set, ${connected} replicas are connected` };
  if (connected === 0) return { name, ok: true, detail: 'no replicas are connected' };
  const advice = 'set min-replicas-to-write 1 and min-replicas-max-lag 2';
  const detail = `${connected} replicas are connected and none is waited for: a failover may cost what was acknowledged, ${advice}`;
  return { name, ok: true, risk: true, detail };
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
          : `nobody leads${waiting > 0 ? ` and ${waiting} tasks wait for their time: start a worker or a leader` : ''}`,
      },
      {
        name: `${queue}: promotion`,
        ok: stats.paused || lateMs < durationMs('5s', 'late'),
        detail: stats.paused
          ? 'paused'
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

async function staleConsumers({ caller, keys }: Partition): Promise<number> {
  const [seconds] = (await caller.send(['TIME'])) as [string];
  const values = (await caller.send(['HVALS', keys.consumers])) as string[];
  return values.filter((value) => {
    const [leaseMs, beatMs] = value.split(' ').map(Number) as [number, number];
    return Number(seconds) * 1_000 - beatMs > staleLeases * leaseMs;
  }).length;
}
