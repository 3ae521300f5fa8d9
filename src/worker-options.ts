import { type Backoff, type BackoffFunction, defaultBackoff } from './backoff.js';
import { type Duration, durationMs } from './duration.js';
import { invalid } from './errors.js';
import { checkBackoff, type HandlerDefaults } from './handler.js';
import { type Common, type CommonOptions, resolveCommon, wholeNumber } from './options.js';
import { type LeaderTuning, type ResolvedTuning, resolveTuning } from './leader/options.js';
import { type ConnectionOption, defaultConnection } from './redis/connection.js';

export interface WorkerOptions extends CommonOptions<ConnectionOption>, LeaderTuning {
  /** Handlers at work at once. Default 10; 1 to 1,000. */
  readonly concurrency?: number;
  /** How long a delivery may stay silent before another worker may take it. Default 30s; 1s to 1d. Beats come at a third. */
  readonly lease?: Duration;
  /** `allow`: also a candidate for the leadership (default). `never`. `only`: leads, and runs no tasks. */
  readonly leader?: 'allow' | 'never' | 'only';
  /** How long `stop` lets handlers finish before it aborts them. Default 20s; up to 1d. */
  readonly drain?: Duration;
  /** More lost leases than this: dead letter `max_deliveries`. Default 5. */
  readonly maxDeliveries?: number;
  /** For handlers and tasks that say nothing themselves. Default 5. */
  readonly maxAttempts?: number;
  /** For handlers and tasks that say nothing themselves. Default: exponential from 1 s to 1 h with full jitter. */
  readonly backoff?: Backoff | BackoffFunction;
  /** Who this is, for people: in `consumers` and `leader-status`. Default host:pid. At most 128 bytes, no spaces. */
  readonly id?: string;
}

export interface ResolvedWorkerOptions {
  readonly common: Common<ConnectionOption>;
  readonly tuning: ResolvedTuning;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly leader: 'allow' | 'never' | 'only';
  readonly drainMs: number;
  readonly lostMax: number;
  readonly defaults: HandlerDefaults;
  readonly id: string;
}

const own = [
  'concurrency',
  'lease',
  'leader',
  'drain',
  'maxDeliveries',
  'maxAttempts',
  'backoff',
  'id',
  'lockNodes',
  'lockTtl',
];

export function resolveWorkerOptions(options: WorkerOptions, defaultId: string): ResolvedWorkerOptions {
  const common = resolveCommon(options, defaultConnection, own);
  const { leader = 'allow', id = defaultId, backoff = defaultBackoff } = options;
  if (!['allow', 'never', 'only'].includes(leader)) throw invalid("leader must be 'allow', 'never' or 'only'");
  if (typeof id !== 'string' || !/^\S{1,128}$/u.test(id))
    throw invalid('id must be 1 to 128 characters without spaces');
  return {
    common,
    tuning: resolveTuning(options, common.connection),
    concurrency: wholeNumber(options.concurrency ?? 10, 'concurrency', { min: 1, max: 1_000 }),
    leaseMs: durationMs(options.lease ?? 30_000, 'lease', { min: 1_000, max: 86_400_000 }),
    leader,
    drainMs: durationMs(options.drain ?? 20_000, 'drain', { max: 86_400_000 }),
    lostMax: wholeNumber(options.maxDeliveries ?? 5, 'maxDeliveries', { min: 1, max: 1_000_000 }),
    defaults: {
      attemptsMax: wholeNumber(options.maxAttempts ?? 5, 'maxAttempts', { min: 1, max: 1_000_000 }),
      backoff: backoff === defaultBackoff ? defaultBackoff : checkBackoff(backoff as Backoff, 'backoff'),
    },
    id,
  };
}
