import { type Backoff, type BackoffFunction, type BackoffPolicy, resolveBackoff } from './backoff.js';
import { type Duration, durationMs } from './duration.js';
import { invalid } from './errors.js';
import { wholeNumber } from './options.js';
import { checkText, defaultLimits, type Task, type TaskMap } from './task.js';

/** What a handler is given beside its task. */
export interface Context {
  /** Aborted when the lease can no longer be trusted, on timeout, on cancel, and when a stop cuts the handler short. */
  readonly signal: AbortSignal;
  /** Tells whoever listens to the worker's `log` event. */
  log(message: string): void;
  /**
   * Extends the lease now. Not needed while the event loop is free: the worker beats by itself every third of a
   * lease. Rejects when the delivery is lost or cancelled.
   */
  heartbeat(): Promise<void>;
}

export type HandlerFunction<P = unknown, N extends string = string> = (task: Task<P, N>, context: Context) => unknown;

/** What zod, valibot, arktype and others implement: https://standardschema.dev. */
export interface StandardSchema {
  readonly '~standard': {
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

export interface HandlerOptions<P = unknown, N extends string = string> {
  readonly handler: HandlerFunction<P, N>;
  /** A payload it refuses is never handed to the handler: dead letter `rejected`. */
  readonly schema?: StandardSchema;
  /** Default: none. 1 ms to 24 days. The task's own wins. */
  readonly timeout?: Duration;
  /** Default 5. The task's own wins. */
  readonly maxAttempts?: number;
  /** Default: exponential from 1 s to 1 h with full jitter. The task's own wins. */
  readonly backoff?: Backoff | BackoffFunction;
}

export type Handlers<M extends TaskMap> = {
  readonly [N in keyof M & string]?: HandlerFunction<M[N], N> | HandlerOptions<M[N], N>;
};

export interface ResolvedHandler {
  readonly run: HandlerFunction;
  readonly schema: StandardSchema | undefined;
  readonly timeoutMs: number | undefined;
  readonly attemptsMax: number;
  readonly backoff: BackoffPolicy | BackoffFunction;
}

/** What holds for handlers that say nothing themselves. */
export interface HandlerDefaults {
  readonly attemptsMax: number;
  readonly backoff: BackoffPolicy | BackoffFunction;
}

const known = ['handler', 'schema', 'timeout', 'maxAttempts', 'backoff'];

export function resolveHandlers(handlers: unknown, defaults: HandlerDefaults): ReadonlyMap<string, ResolvedHandler> {
  if (typeof handlers !== 'object' || handlers === null) throw invalid('handlers must be an object: name → handler');
  const resolved = new Map<string, ResolvedHandler>();
  for (const [name, handler] of Object.entries(handlers)) {
    checkText(name, 'name', defaultLimits.nameBytesMax);
    resolved.set(name, resolveHandler(name, handler, defaults));
  }
  if (resolved.size === 0) throw invalid('handlers must name at least one handler');
  return resolved;
}

function resolveHandler(name: string, given: unknown, defaults: HandlerDefaults): ResolvedHandler {
  const options = typeof given === 'function' ? { handler: given } : given;
  if (typeof options !== 'object' || options === null || typeof (options as HandlerOptions).handler !== 'function') {
    throw invalid(`the handler of "${name}" must be a function, or an object with a function "handler"`);
  }
  const unknownKey = Object.keys(options).find((key) => !known.includes(key));
  if (unknownKey)
    throw invalid(`the handler of "${name}" has an unknown option "${unknownKey}": expected ${known.join(', ')}`);
  const { handler, schema, timeout, maxAttempts, backoff } = options as HandlerOptions;
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function') {
    throw invalid(`the schema of "${name}" must be a Standard Schema (zod, valibot, arktype …)`);
  }
  return {
    run: handler,
    schema,
    timeoutMs:
      timeout === undefined ? undefined : durationMs(timeout, `the timeout of "${name}"`, { min: 1, max: 2 ** 31 - 1 }),
    attemptsMax:
      maxAttempts === undefined
        ? defaults.attemptsMax
        : wholeNumber(maxAttempts, `maxAttempts of "${name}"`, { min: 1, max: 1_000_000 }),
    backoff: backoff === undefined ? defaults.backoff : checkBackoff(backoff, `the backoff of "${name}"`),
  };
}

export function checkBackoff(backoff: Backoff | BackoffFunction, field: string): BackoffPolicy | BackoffFunction {
  return typeof backoff === 'function' ? backoff : resolveBackoff(backoff, field);
}

/** The payload as the schema gives it back, or where it is wrong: never its values. */
export async function validatePayload(
  schema: StandardSchema,
  payload: unknown,
): Promise<{ ok: true; value: unknown } | { ok: false; where: string }> {
  const result = await schema['~standard'].validate(payload);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const paths = result.issues.slice(0, 5).map(({ path = [] }) => {
    return ['payload', ...path.map((part) => String(typeof part === 'object' ? part.key : part))].join('.');
  });
  return { ok: false, where: paths.join(', ') };
}
