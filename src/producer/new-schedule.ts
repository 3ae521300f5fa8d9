import { shown } from '../duration.js';
import { DuestreamError, invalid } from '../errors.js';
import { type StandardSchema, validatePayload } from '../handler.js';
import { wholeNumber } from '../options.js';
import { type Definition, encodeDefinition } from '../schedule/definition.js';
import { policyNames, resolvePolicy, type SchedulePolicy } from '../schedule/policy.js';
import type { ScheduleTiming } from '../schedule/rule.js';
import { resolveTiming } from '../schedule/timing.js';
import { checkText, type TaskLimits, type TaskMap } from '../task.js';
import { type TaskOptions, toItem } from './new-task.js';

/** When a schedule has its occurrences, and what is done where things do not go by that. */
export type ScheduleOptions = ScheduleTiming &
  SchedulePolicy & {
    /**
     * Raise it with each change of rule, policy or task: then a process that still has the former one writes nothing over it.
     * A whole number from 1, default 1.
     */
    readonly version?: number | undefined;
  };

/** The task that is added at each of a schedule's times. */
export interface ScheduledTask<N extends string = string, P = unknown>
  extends Omit<TaskOptions, 'id' | 'in' | 'at' | 'expiresAt'> {
  readonly name: N;
  /** With all else that is kept of the schedule at most 64 KiB. */
  readonly payload?: P;
  /** Checked when the schedule is written, and not kept: any Standard Schema. */
  readonly schema?: StandardSchema;
}

/** Its payload may be left out where its type allows null, undefined or anything. */
export type ScheduledTaskOf<M extends TaskMap> = {
  [N in keyof M & string]: ScheduledTask<N, M[N]> & (null extends M[N] ? unknown : { readonly payload: M[N] });
}[keyof M & string];

/** Of the id of an occurrence: '@2027-03-28T01:00:00.000Z', or with the sign and six digits of a far year; and '!' with a token. */
const suffixBytesMax = 28 + 17;
const definitionBytesMax = 64 * 1024;

export function checkScheduleName(name: unknown, limits: TaskLimits): string {
  return checkText(name, 'name', limits.idBytesMax - suffixBytesMax);
}

const timingNames = ['cron', 'tz', 'gap', 'fold', 'every', 'anchor', 'at', 'start', 'end', 'exclude', 'jitter'];
const optionNames: readonly string[] = [...timingNames, ...policyNames, 'version'];

/** A mistyped one of the policy is none of the timing: all that may stand there is said. Which go together is not. */
function checkOptionNames(options: ScheduleOptions): void {
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name));
  if (unknown === undefined) return;
  throw invalid(`unknown option ${shown(unknown)} of a schedule: expected one of ${optionNames.join(', ')}`);
}

/** Checks all of it, before anything is sent. */
export async function toDefinition(
  name: string,
  { options, task }: { options: ScheduleOptions; task: ScheduledTask },
  limits: TaskLimits,
): Promise<Definition> {
  if (typeof options !== 'object' || options === null)
    throw invalid('a schedule needs its rule, such as { every: "1h" }');
  if (typeof task !== 'object' || task === null) throw invalid('a schedule needs its task, such as { name: "report" }');
  checkOptionNames(options); // after it: they may be the task's, one level too high
  const { version = 1, ...rest } = options;
  wholeNumber(version, 'version', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const isPolicy = (key: string): boolean => (policyNames as readonly string[]).includes(key);
  const timing = Object.fromEntries(
    Object.entries(rest).filter(([key]) => !isPolicy(key)),
  ) as unknown as ScheduleTiming;
  const { schema, ...plain } = task;
  for (const own of ['id', 'in', 'at', 'expiresAt']) {
    if (own in plain) throw invalid(`unknown option "${own}" of a schedule's task: each occurrence has its own`);
  }
  if (schema !== undefined) {
    const result = await validatePayload(schema, plain.payload ?? null);
    if (!result.ok)
      throw new DuestreamError('ERR_INVALID_PAYLOAD', `the payload is refused by its schema at ${result.where}`);
  }
  const item = toItem({ ...plain, key: plain.key ?? name }, limits, 1);
  const definition = {
    version,
    timing: resolveTiming(timing),
    policy: resolvePolicy(rest),
    record: item.record,
    expiresInMs: item.expires === '' ? null : Number(item.expires.slice(1)),
  };
  checkSize(definition);
  return definition;
}

/** Schedules are read by the page: what is large should lie elsewhere, and be named in the payload. */
function checkSize(definition: Definition): void {
  const bytes = Buffer.byteLength(encodeDefinition(definition));
  if (bytes <= definitionBytesMax) return;
  throw invalid(`a schedule with its payload must be at most ${definitionBytesMax} bytes, got ${bytes}`);
}
