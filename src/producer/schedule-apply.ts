import { shown } from '../duration.js';
import { DuestreamError, invalid } from '../errors.js';
import { checkOptions, checkSwitch } from '../options.js';
import type { Partitions } from '../redis/partition.js';
import { encodeDefinition } from '../schedule/definition.js';
import type { Standing } from '../schedule/step.js';
import type { TaskLimits } from '../task.js';
import { checkScheduleName, type ScheduledTask, type ScheduleOptions, toDefinition } from './new-schedule.js';
import { allOrRefused } from './refusals.js';
import { type Decided, decided, type Wanted } from './schedule-decision.js';
import { type FieldChange, fieldChanges } from './schedule-fields.js';
import { toScheduleSummary } from './schedule-info.js';
import type { ScheduleStore, Stored, Vacant } from './schedule-store.js';

/** A schedule and its task in one. Without a `version` it takes the one that stands, or the next where it differs. */
export type WantedSchedule = ScheduleOptions & { readonly task: ScheduledTask };

export interface ApplyOptions {
  /** Takes away the schedules of the queue that are not wanted. Default false. */
  readonly prune?: boolean;
  /** Only tells what would be done. Default false. */
  readonly dryRun?: boolean;
}

export interface AppliedSchedule {
  readonly name: string;
  /** `older`: a higher version stands than is wanted, and was left as it is. */
  readonly status: 'created' | 'changed' | 'unchanged' | 'older' | 'deleted';
  /** The one that stands now; of one that was deleted, the last. */
  readonly version: number;
  /** The rule in words of its own. */
  readonly rule: string;
  /** The first time it has not come to yet; epoch ms, null when there is none. */
  readonly next: number | null;
  /** What is another, where it was changed. */
  readonly changes: readonly FieldChange[];
}

export interface ApplyParts {
  store: ScheduleStore;
  partitions: Partitions;
  limits: TaskLimits;
  learn: () => Promise<void>;
  create: () => Promise<unknown>;
}

/** What becomes of one, and what it was decided on. */
interface Planned {
  readonly name: string;
  /** Undefined: it is to go. */
  readonly wanted: Wanted | undefined;
  readonly was: Stored | Vacant;
  applied: AppliedSchedule;
}

const schedulesMax = 10_000;
/** So many are read or written side by side. */
const sideBySide = 16;
const pageMax = 1_000;
const optionNames = ['prune', 'dryRun'];

/**
 * Makes the schedules of a queue those that are wanted. All of it is checked, and held against what stands, before the first
 * write. Each is then written by a compare-and-set on what it was held against: one that somebody else has changed since is
 * left to them, with ERR_CONFLICT, and those written before it stay. Repeating it is safe. The last to go are those to delete.
 */
export async function applySchedules(
  parts: ApplyParts,
  wanted: Readonly<Record<string, WantedSchedule>>,
  options: ApplyOptions = {},
): Promise<AppliedSchedule[]> {
  const { prune, dryRun } = checkedOptions(options);
  const all = await allWanted(wanted, parts.limits);
  await parts.learn();
  const planned = allOrRefused(await inTurns(all, (one) => settledConflict(planOf(parts, one))));
  if (prune) planned.push(...(await toDelete(parts.store, new Set(all.map(({ name }) => name)))));
  if (!dryRun && planned.some(isWritten)) {
    await parts.create();
    const [kept, gone] = [planned.filter(({ wanted: one }) => one), planned.filter(({ wanted: one }) => !one)];
    for (const some of [kept, gone]) await inTurns(some.filter(isWritten), (one) => write(parts, one));
  }
  return planned.map(({ applied }) => applied);
}

function checkedOptions(options: ApplyOptions): Required<ApplyOptions> {
  checkOptions(options, optionNames);
  const { prune = false, dryRun = false } = options;
  checkSwitch(prune, 'prune');
  checkSwitch(dryRun, 'dryRun');
  return { prune, dryRun };
}

async function allWanted(wanted: Readonly<Record<string, WantedSchedule>>, limits: TaskLimits): Promise<Wanted[]> {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) {
    throw invalid(`schedules must be an object of schedules by their names, got ${shown(wanted)}`);
  }
  const entries = Object.entries(wanted);
  if (entries.length > schedulesMax) {
    throw invalid(`schedules must be at most ${schedulesMax} in one call, got ${entries.length}`);
  }
  return allOrRefused(await Promise.allSettled(entries.map(([name, one]) => wantedOf(name, one, limits))));
}

/** An error says of which schedule it is. */
async function wantedOf(name: string, wanted: WantedSchedule, limits: TaskLimits): Promise<Wanted> {
  try {
    checkScheduleName(name, limits);
    if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) {
      throw invalid(`must be an object such as { every: "1h", task: { name: "report" } }, got ${shown(wanted)}`);
    }
    const { task, ...options } = wanted;
    const definition = await toDefinition(name, { options, task }, limits);
    return { name, definition, hasVersion: options.version !== undefined };
  } catch (error) {
    throw named(name, error);
  }
}

function named(name: string, error: unknown): unknown {
  if (!(error instanceof DuestreamError)) return error;
  return new DuestreamError(error.code, `the schedule ${shown(name)}: ${error.message}`, { cause: error });
}

/** A schedule that is refused is one of the results; whatever else fails is thrown. */
async function settledConflict<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [settled] = await Promise.allSettled([work]);
  if (settled.status === 'fulfilled' || isConflict(settled.reason) || isRefused(settled.reason)) return settled;
  throw settled.reason;
}

function isConflict(error: unknown): boolean {
  return error instanceof DuestreamError && error.code === 'ERR_CONFLICT';
}

function isRefused(error: unknown): boolean {
  return error instanceof DuestreamError && error.code === 'ERR_INVALID_ARGUMENT';
}

async function planOf({ store, partitions }: ApplyParts, wanted: Wanted): Promise<Planned> {
  const was = await store.find(wanted.name);
  try {
    return { name: wanted.name, wanted, was, applied: appliedOf(wanted, was, decided(wanted, was, partitions)) };
  } catch (error) {
    throw isConflict(error) ? error : named(wanted.name, error);
  }
}

function appliedOf(wanted: Wanted, was: Stored | Vacant, { change, definition }: Decided): AppliedSchedule {
  const { name } = wanted;
  if (!('standing' in change)) return { ...summed(was as Stored), status: change.kind };
  const becomes = summed({ name, ...change.standing });
  if (!('partition' in was)) return { ...becomes, status: 'created' };
  return { ...becomes, status: 'changed', changes: fieldChanges(was.definition, definition) };
}

function summed(standing: Standing & { name: string }): Omit<AppliedSchedule, 'status'> {
  const { name, version, rule } = toScheduleSummary(standing);
  return { name, version, rule, next: standing.cursor.nextMs, changes: [] };
}

/** Of all that stand, those that nobody wants, in the order of their names. */
async function toDelete(store: ScheduleStore, wanted: ReadonlySet<string>): Promise<Planned[]> {
  const found = new Map<string, Stored>();
  let after: string | null = '';
  while (after !== null) {
    const page: Awaited<ReturnType<ScheduleStore['list']>> = await store.list({ after, limit: pageMax });
    for (const one of page.items) if (!wanted.has(one.name) && 'definition' in one) found.set(one.name, one);
    ({ after } = page);
  }
  const inOrder = [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return inOrder.map((was) => {
    return { name: was.name, wanted: undefined, was, applied: { ...summed(was), status: 'deleted' } };
  });
}

function isWritten({ applied: { status } }: Planned): boolean {
  return status !== 'unchanged' && status !== 'older';
}

async function write({ store, partitions }: ApplyParts, one: Planned): Promise<void> {
  const { name, wanted, was } = one;
  const written = await store.write(name, (stands) => {
    const isAsItWas = textOf(stands) === textOf(was);
    if (wanted === undefined) return deletion(one, stands, isAsItWas);
    const decision = decided(wanted, stands, partitions);
    one.applied = isAsItWas ? one.applied : appliedOf(wanted, stands, decision);
    if (!('standing' in decision.change)) return undefined; // somebody else has made it so
    if (!isAsItWas) throw changedMeanwhile(name);
    return { partition: decision.partition, standing: decision.change.standing };
  });
  if (written) one.applied = { ...one.applied, next: written.cursor.nextMs };
}

function deletion(
  { name }: Planned,
  stands: Stored | Vacant,
  isAsItWas: boolean,
): ReturnType<Parameters<ScheduleStore['write']>[1]> {
  if (!('partition' in stands)) return undefined;
  if (!isAsItWas) throw changedMeanwhile(name);
  return { partition: stands.partition, standing: null };
}

/** How far it has come may have changed: a schedule goes on. */
function textOf(stands: Stored | Vacant): string {
  return 'partition' in stands ? encodeDefinition(stands.definition) : '';
}

function changedMeanwhile(name: string): DuestreamError {
  const what = `the schedule ${shown(name)} was changed by somebody else meanwhile, and left as it is`;
  return new DuestreamError('ERR_CONFLICT', `${what}: look at it, and apply again`);
}

/** A few at a time. Of several failures the first is thrown, when nothing is under way any more. */
async function inTurns<T, R>(items: readonly T[], take: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += sideBySide) {
    const settled = await Promise.allSettled(items.slice(at, at + sideBySide).map(take));
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      results.push(one.value);
    }
  }
  return results;
}
