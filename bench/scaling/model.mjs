/**
 * How much it takes, from what one task costs. A small model: costs are taken to be the same at any size, which is what the
 * measured points are to show, and every core to be used to a part only, so that a crowd finds room.
 */

/** Of each core, a second: six tenths of it. */
const coreMicros = 0.6 * 1e6;
/** A cluster has no more. */
const mastersMax = 1_000;
/** What one server is given: more makes a restart and a resync long. */
const masterMemoryBytes = 25e9;
/** Of Redis' memory, what is left for buffers and fragmentation. */
const memoryShare = 0.7;
const partitionTasksMax = 1e6;
const partitionBytesMax = 1e9;
/** Redis' own default. */
const clientsMax = 10_000;
const queuesMax = 1_024;
const splitIt = 'split the queue';

/**
 * What one queue takes.
 *
 * @param {{ redisMicros: number, workerMicros: number, leaderMicros: number, wireBytes: number, memoryBytes: number,
 *   partition: { leaderMicros: number, workerMicros: number, leaderRedisMicros: number, workerRedisMicros: number } }} cost
 *   of one task, its whole life, and of one partition in a second, whatever happens there, for the leader and for each worker
 * @param {{ tasksPerSecond: number, scheduled: number }} load
 */
export function sizeOf(cost, { tasksPerSecond, scheduled }) {
  const bytes = scheduled * cost.memoryBytes;
  const mastersByMemory = Math.max(1, Math.ceil(bytes / (masterMemoryBytes * memoryShare)));
  const sizedFor = (masters) => {
    const partitions = partitionsFor({ masters, scheduled, bytes });
    const workers = workersFor(cost, { tasksPerSecond, partitions });
    const { leaderRedisMicros, workerRedisMicros } = cost.partition;
    const redisMicros =
      tasksPerSecond * cost.redisMicros + partitions * (leaderRedisMicros + workers * workerRedisMicros);
    return { masters, partitions, workers, mastersByCpu: Math.ceil(redisMicros / coreMicros) };
  };
  let sized = sizedFor(mastersByMemory);
  // More masters want more partitions, and these more of the masters.
  while (sized.mastersByCpu > sized.masters && sized.masters < mastersMax) sized = sizedFor(sized.masters + 1);
  const { masters, partitions, workers, mastersByCpu } = sized;
  const size = {
    masters,
    partitions,
    workers,
    memoryBytes: bytes / memoryShare,
    wireBytesPerSecond: tasksPerSecond * cost.wireBytes,
    leaderCores: (tasksPerSecond * cost.leaderMicros + partitions * cost.partition.leaderMicros) / coreMicros,
    connectionsPerMaster: Math.ceil((workers * (partitions + masters + 4)) / masters),
  };
  return { ...size, limit: limitOf(size, { mastersByCpu, mastersByMemory }) };
}

/**
 * The same for a load that may be too much for one queue: of as many queues as it takes, each with masters and workers of its
 * own, `queues` and what all of them take together. `limit` is what one queue would meet.
 */
export function fleetOf(cost, { tasksPerSecond, scheduled }) {
  const { limit } = sizeOf(cost, { tasksPerSecond, scheduled });
  for (let queues = 1; ; queues *= 2) {
    const each = sizeOf(cost, { tasksPerSecond: tasksPerSecond / queues, scheduled: scheduled / queues });
    if (!each.limit.endsWith(splitIt) || queues >= queuesMax) {
      const all = ['masters', 'partitions', 'workers', 'memoryBytes', 'wireBytesPerSecond', 'leaderCores'];
      return { ...each, queues, limit, ...Object.fromEntries(all.map((name) => [name, each[name] * queues])) };
    }
  }
}

/** So many that what its partitions leave of a worker's core is enough. */
function workersFor(cost, { tasksPerSecond, partitions }) {
  const left = Math.max(coreMicros / 1e3, coreMicros - partitions * cost.partition.workerMicros);
  return Math.max(1, Math.ceil((tasksPerSecond * cost.workerMicros) / left));
}

/** A multiple of the masters, so that each has as many, and a power of two of them, so that growing keeps them even. */
function partitionsFor({ masters, scheduled, bytes }) {
  const least = Math.max(masters, scheduled / partitionTasksMax, bytes / partitionBytesMax);
  return masters === 1 && least <= 1 ? 1 : masters * 2 ** Math.max(0, Math.ceil(Math.log2(least / masters)));
}

/** What is met first when the load grows on. */
function limitOf({ leaderCores, connectionsPerMaster, partitions }, { mastersByCpu, mastersByMemory }) {
  if (partitions > 1_024) return `partitions: a queue has 1,024 at most; ${splitIt}`;
  if (leaderCores > 1) return `the leader: it is one process, on one core; ${splitIt}`;
  if (connectionsPerMaster > clientsMax) return `connections: every worker reads every partition; ${splitIt}`;
  return mastersByCpu >= mastersByMemory ? "the masters' cores: add masters" : "the masters' memory: add masters";
}

/** The loads that the page shows. */
export const loads = [10_000, 100_000, 1_000_000].flatMap((tasksPerSecond) =>
  [10_000_000, 1_000_000_000].map((scheduled) => ({ tasksPerSecond, scheduled })),
);
