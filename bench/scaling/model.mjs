/**
 * How much it takes, from what one task costs. A small model: costs are taken to be the same at any size, which is what the
 * measured points are to show, and every core to be used to a part only, so that a crowd finds room.
 */

/** Of each core. */
const usedShare = 0.6;
/** What one server is given: more makes a restart and a resync long. */
const masterMemoryBytes = 25e9;
/** Of Redis' memory, what is left for buffers and fragmentation. */
const memoryShare = 0.7;
const partitionTasksMax = 1e6;
const partitionBytesMax = 1e9;
/** Redis' own default. */
const clientsMax = 10_000;

/**
 * @param {{ redisMicros: number, workerMicros: number, leaderMicros: number, wireBytes: number, memoryBytes: number }} cost
 *   of one task, its whole life
 * @param {{ tasksPerSecond: number, scheduled: number }} load
 */
export function sizeOf(cost, { tasksPerSecond, scheduled }) {
  const coresFor = (micros) => (tasksPerSecond * micros) / 1e6 / usedShare;
  const bytes = scheduled * cost.memoryBytes;
  const mastersByCpu = Math.max(1, Math.ceil(coresFor(cost.redisMicros)));
  const mastersByMemory = Math.max(1, Math.ceil(bytes / (masterMemoryBytes * memoryShare)));
  const masters = Math.max(mastersByCpu, mastersByMemory);
  const partitions = partitionsFor({ masters, scheduled, bytes });
  const workers = Math.max(1, Math.ceil(coresFor(cost.workerMicros)));
  const connectionsPerMaster = Math.ceil((workers * (partitions + masters + 4)) / masters);
  const leaderCores = coresFor(cost.leaderMicros);
  const sized = {
    masters,
    partitions,
    workers,
    memoryBytes: bytes / memoryShare,
    wireBytesPerSecond: tasksPerSecond * cost.wireBytes,
    leaderCores,
    connectionsPerMaster,
  };
  return { ...sized, limit: limitOf(sized, { mastersByCpu, mastersByMemory }) };
}

/** A multiple of the masters, so that each has as many, and a power of two of them, so that growing keeps them even. */
function partitionsFor({ masters, scheduled, bytes }) {
  const least = Math.max(masters, scheduled / partitionTasksMax, bytes / partitionBytesMax);
  return masters === 1 && least <= 1 ? 1 : masters * 2 ** Math.max(0, Math.ceil(Math.log2(least / masters)));
}

/** What is met first when the load grows on. */
function limitOf({ leaderCores, connectionsPerMaster, partitions }, { mastersByCpu, mastersByMemory }) {
  if (partitions > 1_024) return 'partitions: a queue has 1,024 at most; split it into several queues';
  if (leaderCores > 1) return 'the leader: it is one process, on one core; split the queue into several';
  if (connectionsPerMaster > clientsMax) return 'connections: every worker reads every partition; split the queue';
  return mastersByCpu >= mastersByMemory ? "the masters' cores: add masters" : "the masters' memory: add masters";
}

/** The loads that the page shows. */
export const loads = [10_000, 100_000, 1_000_000].flatMap((tasksPerSecond) =>
  [10_000_000, 1_000_000_000].map((scheduled) => ({ tasksPerSecond, scheduled })),
);
