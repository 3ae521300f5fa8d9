import type { Clock } from '../clock.js';
import { formatDuration } from '../duration.js';
import { DuestreamError, messageOf } from '../errors.js';
import { lackingRights, rightsList } from './rights.js';
import type { Caller } from './script.js';
import { type Suitability, suitabilityOf } from './suitability.js';
import type { Master, Survey } from './survey.js';

/** One thing the doctor looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Nothing is wrong, but a risk is taken: Redis can lose what it has acknowledged, or one server can stop all queues. */
  readonly risk?: true;
  /** In a cluster: the master this is about, as `host:port`. */
  readonly server?: string;
  readonly detail: string;
}

interface Look {
  readonly clock: Clock;
  /** One of the prefix, to ask for rights with. */
  readonly key: string;
  readonly isInCluster?: boolean;
}

/** What there is to say of the Redis servers of a queue: of one, or of each master of a cluster. */
export async function serverChecks({ masters, uncovered }: Survey, look: Look): Promise<Check[]> {
  if (uncovered === undefined) return (await Promise.all(masters.map(({ caller }) => checksOf(caller, look)))).flat();
  const each = masters.map((master) => masterChecks(master, { ...look, isInCluster: true }));
  return [slotsCheck(masters.length, uncovered), ...(await Promise.all(each)).flat()];
}

/** One that is away must not hide what is to be said of the others. */
async function masterChecks({ name, caller }: Master, look: Look): Promise<Check[]> {
  try {
    const checks = await checksOf(caller, look);
    return checks.map((check) => ({ ...check, server: name }));
  } catch (error) {
    if (!(error instanceof DuestreamError)) throw error;
    return [{ name: 'answers', ok: false, server: name, detail: messageOf(error) }];
  }
}

function slotsCheck(masters: number, uncovered: NonNullable<Survey['uncovered']>): Check {
  const ranges = uncovered.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
  const shown = ranges.length > rangesMax ? [...ranges.slice(0, rangesMax), '…'] : ranges;
  return {
    name: 'slots',
    ok: ranges.length === 0,
    detail:
      ranges.length === 0
        ? `every slot has one of ${masters} masters`
        : `no master serves ${shown.join(', ')}: queues there stand still, redis-cli --cluster fix`,
  };
}

const rangesMax = 5;

async function checksOf(caller: Caller, { clock, key, isInCluster = false }: Look): Promise<Check[]> {
  const found = await suitabilityOf(caller);
  const [seconds, micros] = (await caller.send(['TIME'])) as [string, string];
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
    replicationCheck(found.replicas, isInCluster),
    await rightsCheck(caller, key),
    ...(isInCluster ? [coverageCheck(found.needsAllSlots)] : []),
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

function replicationCheck({ of, connected, needed }: Suitability['replicas'], isInCluster: boolean): Check {
  const name = 'replication';
  if (of !== undefined)
    return { name, ok: false, detail: `this is a replica of ${of} and takes no writes: name its master` };
  if (connected === 0 && isInCluster) {
    return {
      name,
      ok: true,
      risk: true,
      detail: 'no replicas are connected: nobody takes over when this master is down',
    };
  }
  if (needed) return { name, ok: true, detail: `min-replicas-to-write is set, ${connected} replicas are connected` };
  if (connected === 0)
    return { name, ok: true, detail: "no replicas are connected: none could confirm durability 'replicated'" };
  const more = connected > 1 ? ` (for durability 'replicated' ${connected}, as many as there are)` : '';
  const advice = `set min-replicas-to-write 1${more} and min-replicas-max-lag 2`;
  const detail = `${connected} replicas are connected and none is waited for: a failover may cost what was acknowledged, ${advice}`;
  return { name, ok: true, risk: true, detail };
}

async function rightsCheck(caller: Caller, key: string): Promise<Check> {
  const name = 'rights';
  try {
    const lacking = await lackingRights((args) => caller.send(args), key);
    if (lacking.length === 0) return { name, ok: true, detail: 'this Redis user may do what the scripts do' };
    const detail = `this Redis user lacks ${rightsList(lacking)}: workers and leaders wait until it has that`;
    return { name, ok: false, detail: `${detail}, docs/operations.md has the whole list` };
  } catch (error) {
    if (!(error instanceof DuestreamError) || error.code !== 'ERR_REDIS_REPLY') throw error;
    return { name, ok: true, detail: `unknown: ${error.message}` };
  }
}

/** Every node has the setting, and each goes by its own. */
function coverageCheck(needsAllSlots: boolean | undefined): Check {
  const name = 'coverage';
  if (needsAllSlots === undefined) return { name, ok: true, detail: 'unknown: CONFIG is not allowed here' };
  if (!needsAllSlots) return { name, ok: true, detail: 'cluster-require-full-coverage no' };
  const detail = 'cluster-require-full-coverage yes: one shard that is down stops all queues, set it to no';
  return { name, ok: true, risk: true, detail };
}
