import { type Duration, durationMs } from '../duration.js';
import { invalid } from '../errors.js';
import { type Common, type CommonOptions, resolveCommon, wholeNumber } from '../options.js';
import { type ConnectionOption, defaultConnection } from '../redis/connection.js';
import { defaultLimits, type TaskLimits, type TaskMap } from '../task.js';
import type { NewTask, TaskOptions } from './new-task.js';

export type Durability = 'memory' | 'replicated';

export interface QueueOptions extends CommonOptions<ConnectionOption> {
  /** Payload 1 MiB, id 256 bytes, name 128 bytes, unless told otherwise. */
  readonly limits?: Partial<TaskLimits>;
  /**
   * What an `add` waits for. `memory` (default): that Redis has it; what its AOF and a failover may lose is said in
   * docs/guarantees.md. `replicated`: that a replica has it, too, within `commandTimeout`; else ERR_OUTCOME_UNKNOWN.
   */
  readonly durability?: Durability;
  /** How long a call is repeated while Redis is away or its reply is lost. Default 10s; up to 10m. */
  readonly repeatFor?: Duration;
}

export type NewTaskOf<M extends TaskMap> = { [N in keyof M & string]: NewTask<N, M[N]> }[keyof M & string];

/** The payload may be left out where its type allows null, undefined or anything. */
export type PayloadArgs<P> = unknown extends P
  ? [payload?: P, options?: TaskOptions]
  : null extends P
    ? [payload?: P, options?: TaskOptions]
    : [payload: P, options?: TaskOptions];

export interface ResolvedQueueOptions {
  readonly common: Common<ConnectionOption>;
  readonly limits: TaskLimits;
  readonly repeatForMs: number;
  readonly durability: Durability;
}

export function resolveQueueOptions(options: QueueOptions): ResolvedQueueOptions {
  const common = resolveCommon(options, defaultConnection, ['limits', 'repeatFor', 'durability']);
  const { durability = 'memory' } = options;
  if (!['memory', 'replicated'].includes(durability)) throw invalid("durability must be 'memory' or 'replicated'");
  const limits = resolveLimits(options.limits);
  const repeatForMs = durationMs(options.repeatFor ?? 10_000, 'repeatFor', { max: 600_000 });
  return { common, limits, repeatForMs, durability };
}

function resolveLimits(limits: Partial<TaskLimits> = {}): TaskLimits {
  const resolved = { ...defaultLimits, ...limits };
  const unknown = Object.keys(resolved).find((name) => !(name in defaultLimits));
  if (unknown !== undefined)
    throw invalid(`unknown limit "${unknown}": expected ${Object.keys(defaultLimits).join(', ')}`);
  wholeNumber(resolved.payloadBytesMax, 'limits.payloadBytesMax', { min: 1, max: 256 * 1024 * 1024 });
  wholeNumber(resolved.idBytesMax, 'limits.idBytesMax', { min: 1, max: 4096 });
  wholeNumber(resolved.nameBytesMax, 'limits.nameBytesMax', { min: 1, max: 1024 });
  return resolved;
}
