import { DuestreamError } from '../errors.js';
import type { Observe } from '../events.js';
import type { Caller } from './script.js';

/** What of a server matters to a queue. */
export interface Suitability {
  readonly isSuitable: boolean;
  readonly version: string;
  readonly eviction: string;
  /** The AOF's fsync mode, or what else keeps the data. */
  readonly persistence: 'always' | 'everysec' | 'no' | 'rdb only' | 'none' | 'no aof' | 'unknown';
  /** What makes it unsuitable. */
  readonly problems: readonly string[];
  /** Of whom it is one itself; how many are connected; whether it takes no writes without enough of them (min-replicas-to-write). */
  readonly replicas: { readonly of: string | undefined; readonly connected: number; readonly needed: boolean };
  /** Of a node of a cluster: whether it serves nothing while any slot is served by nobody. Undefined: not known. */
  readonly needsAllSlots: boolean | undefined;
  /** How it can lose what it has acknowledged. */
  readonly risks: readonly string[];
}

const oldestMajor = 7;

/** Reads INFO and, where that is allowed, CONFIG. */
export async function suitabilityOf(caller: Caller): Promise<Suitability> {
  const info = parseInfo(String(await caller.send(['INFO'])));
  const version = info.get('redis_version') ?? 'unknown';
  const eviction = info.get('maxmemory_policy') ?? 'unknown';
  const problems: string[] = [];
  if (Number.parseInt(version, 10) < oldestMajor) {
    problems.push(`Redis ${version} is too old: Duestream needs ${oldestMajor}.0 or newer`);
  }
  if (eviction !== 'noeviction' && eviction !== 'unknown') {
    problems.push(
      `Redis evicts keys (maxmemory-policy ${eviction}), tasks among them: set maxmemory-policy noeviction`,
    );
  }
  const config = await configOf(caller);
  const persistence = persistenceOf(info, config);
  const coverage = config?.get('cluster-require-full-coverage');
  const replicas = {
    of: info.get('role') === 'slave' ? `${info.get('master_host')}:${info.get('master_port')}` : undefined,
    connected: Number(info.get('connected_slaves') ?? 0),
    needed: info.has('min_slaves_good_slaves'), // INFO has it only where the setting is on
  };
  return {
    isSuitable: problems.length === 0,
    version,
    eviction,
    persistence,
    problems,
    replicas,
    needsAllSlots: coverage === undefined ? undefined : coverage === 'yes',
    risks: [persistenceRisks[persistence], failoverRisk(replicas)].filter((risk) => risk !== undefined),
  };
}

const persistenceRisks: Readonly<Record<Suitability['persistence'], string | undefined>> = {
  always: undefined,
  everysec: 'a power loss costs up to a second of it (appendfsync everysec)',
  no: 'a power loss costs what the system had not written yet: set appendfsync everysec or always',
  'rdb only': 'a crash costs all since the last snapshot: set appendonly yes',
  none: 'a restart costs everything: set appendonly yes',
  'no aof': 'a crash costs at least what came since the last snapshot: set appendonly yes',
  unknown: undefined,
};

/** Measured: a master that was cut off and came back acknowledged writes for 10 s, and lost them all. */
function failoverRisk({ connected, needed }: Suitability['replicas']): string | undefined {
  if (connected === 0 || needed) return undefined;
  return 'a failover costs what had not reached a replica: set min-replicas-to-write 1 and min-replicas-max-lag 2';
}

type Lines = ReadonlyMap<string, string>;

/** Undefined when it is not allowed, as is often so where others run the server. */
async function configOf(caller: Caller): Promise<Lines | undefined> {
  try {
    const asked = ['appendfsync', 'save', 'cluster-require-full-coverage'];
    const reply = (await caller.send(['CONFIG', 'GET', ...asked])) as string[];
    const config = new Map<string, string>();
    for (let at = 0; at + 1 < reply.length; at += 2) config.set(reply[at] as string, reply[at + 1] as string);
    return config;
  } catch {
    return undefined;
  }
}

function persistenceOf(info: Lines, config: Lines | undefined): Suitability['persistence'] {
  if (config === undefined) return info.get('aof_enabled') === '0' ? 'no aof' : 'unknown';
  if (info.get('aof_enabled') === '1') return (config.get('appendfsync') as Suitability['persistence']) ?? 'unknown';
  return config.get('save') ? 'rdb only' : 'none';
}

/**
 * Judges the server as soon as it can be reached; resolves with what is wrong, in words, or with nothing. That it can lose
 * what it has acknowledged is no fault, and only observed.
 */
export async function judgeServer(caller: Caller, observe: Observe): Promise<string | undefined> {
  for (;;) {
    try {
      const { problems, risks } = await suitabilityOf(caller);
      if (risks.length > 0) observe({ type: 'at_risk', risks });
      return problems.length > 0 ? problems.join('; ') : undefined;
    } catch (error) {
      // Else stopped, or INFO is not ours to read: the loops tell what matters.
      if (!(error instanceof DuestreamError) || error.code !== 'ERR_REDIS_UNREACHABLE') return undefined;
    }
  }
}

/** The lines `name:value` of INFO. */
export function parseInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}
