import { DuestreamError } from '../errors.js';
import type { Caller } from './script.js';

/** What of a server matters to a queue. */
export interface Suitability {
  readonly isSuitable: boolean;
  readonly version: string;
  readonly eviction: string;
  /** The AOF's fsync mode, or what else keeps the data. */
  readonly persistence: 'always' | 'everysec' | 'no' | 'rdb only' | 'none' | 'unknown';
  readonly problems: readonly string[];
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
  return {
    isSuitable: problems.length === 0,
    version,
    eviction,
    persistence: await persistenceOf(caller, info),
    problems,
  };
}

async function persistenceOf(caller: Caller, info: ReadonlyMap<string, string>): Promise<Suitability['persistence']> {
  try {
    const reply = (await caller.send(['CONFIG', 'GET', 'appendfsync', 'save'])) as string[];
    const config = new Map<string, string>();
    for (let at = 0; at + 1 < reply.length; at += 2) config.set(reply[at] as string, reply[at + 1] as string);
    if (info.get('aof_enabled') === '1') return (config.get('appendfsync') as Suitability['persistence']) ?? 'unknown';
    return config.get('save') ? 'rdb only' : 'none';
  } catch {
    return 'unknown'; // CONFIG is often not allowed where others run the server
  }
}

/** Judges the server as soon as it can be reached; resolves with what is wrong, in words, or with nothing. */
export async function judgeServer(caller: Caller): Promise<string | undefined> {
  for (;;) {
    try {
      const { problems } = await suitabilityOf(caller);
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
