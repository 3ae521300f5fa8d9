import type { Common } from '../options.js';
import type { ConnectionOption } from './connection.js';
import { Layout } from './layout.js';
import { Partitions } from './partition.js';
import type { Caller } from './script.js';
import { introduce, type Servers } from './servers.js';

/**
 * The partitions of a queue, for a process that runs until it is stopped: asks Redis how many there are, again and again,
 * and makes the queue known. Undefined when the signal aborts before.
 */
export async function settlePartitions(
  queue: string,
  { common, servers }: { common: Common<ConnectionOption>; servers: Servers },
  { signal, onFailure }: { signal: AbortSignal; onFailure: (error: unknown) => void },
): Promise<Partitions | undefined> {
  const { prefix, partitions: believed } = common;
  const at = { queue, prefix, callerFor: (key: string): Caller => servers.callerFor(key) };
  const layout = new Layout({ ...at, clock: common.clock, believed });
  if (!(await layout.untilSettled(common, signal, onFailure))) return undefined;
  void introduce(servers, prefix, queue);
  return new Partitions({ ...at, layout });
}
