/**
 * What a campaign notes, and all its checker reads: one file a process, one JSON object a line, appended before anything
 * else can happen, so that it outlives a SIGKILL. `at` is this host's monotonic clock in ms, which all processes share.
 *
 * Redis tells of itself too: `audit` lines are the entries of the audit stream, in its own order, by its own clock.
 */
export interface Stamp {
  /** Monotonic ms, with a fraction; the same clock in every process of the host. */
  readonly at: number;
  /** The process that wrote it: `worker-2.3` is the third life of the second worker. Filled in by the reader. */
  readonly by: string;
}

/** What a task's handler will do, told in its payload. */
export type Fate = 'work' | 'slow' | 'flaky' | 'reject' | 'poison' | 'big';

/** A producer's. `add` is written before the call, the others after it. */
export type ProducerRecord =
  | { what: 'add'; id: string; key?: string; fate: Fate; dueMs?: number; inMs?: number; expiresMs?: number }
  | { what: 'added'; id: string; status: 'ready' | 'scheduled' | 'duplicate' }
  /** It may or may not have happened. */
  | { what: 'add_unknown'; id: string; code: string }
  /** It did not happen. */
  | { what: 'add_refused'; id: string; code: string }
  | { what: 'cancel'; id: string }
  | { what: 'cancelled'; id: string; status: string }
  | { what: 'cancel_unknown'; id: string; code: string };

/** A worker's. `start` is the handler's first line, `return` its last. */
export type WorkerRecord =
  | { what: 'start'; id: string; attempt: number; delivery: number; dueMs: number; sane: boolean }
  | { what: 'return'; id: string; attempt: number; delivery: number; how: 'returned' | 'threw'; aborted?: string }
  | { what: 'completed' | 'retried' | 'dead' | 'recovered' | 'lease_lost'; id: string; attempt: number };

/** A leader's, or a worker's that may lead. `untilMs`: on the same clock as `at`. */
export type LeaderRecord =
  | { what: 'seat'; event: 'elected' | 'resigned' | 'lost' | 'refused'; term: number }
  | { what: 'trust'; term: number; untilMs: number }
  | { what: 'stale_write_refused'; op: string };

/** The campaign's own of a schedule: instants are Redis'. `fromMs`: its first nominal time. */
export type ScheduleRecord = { what: 'schedule'; schedule: string } & (
  | { phase: 'created'; everyMs: number; fromMs: number }
  /** It has fired all before `nextMs`, and from now on no more. */
  | { phase: 'paused'; nextMs: number }
  /** Written before the call. */
  | { phase: 'resuming' }
  /** It was paused for good at `sinceMs`, when it had fired all before `nextMs`. */
  | { phase: 'ended'; nextMs: number; sinceMs: number }
);

/** Any process'. */
export type ProcessRecord =
  | { what: 'ready'; role: RoleName; pid: number; concurrency?: number; leaseMs?: number; lockTtlMs?: number }
  | { what: 'error'; code: string; text: string }
  /** A metric's samples, when it ends well: name and labels → value. */
  | { what: 'metrics'; samples: Readonly<Record<string, number>> };

export type RoleName = 'producer' | 'leader' | 'worker';

/** What a fault may cost, by the promises. */
export type Cost =
  /** Its target may lose leases it holds: a second start is explained. */
  | 'leases'
  /** What is pending is handed out anew: a group was re-created, a stream deleted. */
  | 'group'
  /** Redis may lose writes it acknowledged. */
  | 'writes'
  /** Redis' clock was stepped. */
  | 'clock'
  /** A lock node may have given its vote twice: two processes may trust that they lead. The fence still holds. */
  | 'votes';

/** The campaign's own. */
export type NemesisRecord =
  | {
      what: 'plan';
      seed: number;
      seconds: number;
      leaseMs: number;
      lockTtlMs: number;
      ownRedis: boolean;
      form: 'quick' | 'long';
      appendonly?: string;
      /** 0: the queue's own Redis voted. */
      lockNodes?: number;
      replicated?: boolean;
      minReplicas?: number;
      cluster?: boolean;
      durability?: 'memory' | 'replicated';
      partitions?: number;
    }
  | { what: 'phase'; phase: 'load' | 'faults' | 'calm' | 'drain' | 'drained' | 'stopped' }
  /** `n` counts faults. `target`: a process (`worker-2`, all its lives), or `redis`, `network`, `operator`, `lock-nodes`. */
  | {
      what: 'fault';
      n: number;
      fault: string;
      target: string;
      costs: readonly Cost[];
      /** What it costs it costs on these partitions; on all, where none is said. */
      partitions?: readonly number[];
      phase: 'begin' | 'end';
    }
  /** A fault was left out, and why. */
  | { what: 'skipped'; fault: string; why: string }
  | {
      what: 'process';
      name: string;
      phase: 'started' | 'killed' | 'exited';
      code?: number | null;
      signal?: string | null;
      asked?: boolean;
    }
  /** One of the servers of a replicated Redis or of a cluster, by its address. `demoted`: it is the replica of another now. */
  | { what: 'server'; address: string; phase: 'frozen' | 'killed' | 'thawed' | 'started' | 'demoted' | 'restarted' }
  /**
   * The address that clients know leads elsewhere now, or a replica took over the `partitions` of its master; `tookMs` after
   * the master was gone.
   */
  | { what: 'failover'; from: string; to: string; tookMs: number; partitions?: readonly number[] }
  /** Redis' clock is ahead of the monotonic one by something from low to high. */
  | { what: 'clock'; lowMs: number; highMs: number }
  /** One look of the stats script: all from one instant. */
  | {
      what: 'snapshot';
      scheduled: number;
      due: number;
      ready: number;
      active: number;
      dead: number;
      counts: Readonly<Record<string, number>>;
    }
  /** What is left in Redis when all is drained (`stopped`: and everybody has left). */
  | { what: 'left'; keys: Readonly<Record<string, number>>; consumers: number; silent: number; lock: number }
  | { what: 'replies'; cut: number }
  /** The clock on the wall of a target went to so far from the true one, at some instant from `sinceMs` to `at`. */
  | { what: 'clock_step'; target: string; offsetMs: number; sinceMs: number }
  /**
   * What Redis lost with the power: bytes of its file, and how much older by its clock the last write is that survived
   * than the last that it had acknowledged.
   */
  | { what: 'power_loss'; lostBytes: number; lostMs: number };

/** An entry of the audit stream of one partition; the first, where none is said. */
interface Audited {
  what: 'audit';
  partition?: number;
  redisMs: number;
  entry: string;
}

export type AuditRecord = Audited &
  (
    | { op: 'lead'; term: number; leader: string }
    | { op: 'resign'; term: number }
    | { op: 'promote'; term: number | null; ids: readonly string[] }
    /** A leader's step of its schedules: what it fired. */
    | { op: 'tick'; term: number; ids: readonly string[] }
    | { op: 'refused'; by: string; term: number }
    | {
        op: 'end';
        id: string;
        verb: 'complete' | 'retry' | 'bury' | 'cancelled' | 'expired';
        of: string;
        count: number;
        consumer: string;
      }
  );

export type Fact =
  | ProducerRecord
  | WorkerRecord
  | LeaderRecord
  | ProcessRecord
  | NemesisRecord
  | ScheduleRecord
  | AuditRecord;
export type HistoryRecord = Stamp & Fact;
export type RecordOf<W extends Fact['what']> = Stamp & Extract<Fact, { what: W }>;
