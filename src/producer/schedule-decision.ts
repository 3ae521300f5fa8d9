import { DuestreamError } from '../errors.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { type Change, change } from '../schedule/change.js';
import { type Definition, placeOf } from '../schedule/definition.js';
import type { Standing } from '../schedule/step.js';
import type { Stored, Vacant } from './schedule-store.js';

/** A schedule as somebody wants it. */
export interface Wanted {
  readonly name: string;
  readonly definition: Definition;
  /** The version was chosen by whoever wants it. Else it is that which stands, or the one after, where the contents differ. */
  readonly hasVersion: boolean;
}

export interface Decided {
  readonly change: Extract<Change, { standing: Standing }> | { readonly kind: 'unchanged' | 'older' };
  readonly definition: Definition;
  /** Where it lies. */
  readonly partition: Partition;
}

/** What comes of it. ERR_CONFLICT: it can't stand in the place of what stands. */
export function decided(
  { name, definition: given, hasVersion }: Wanted,
  stands: Stored | Vacant,
  partitions: Partitions,
): Decided {
  const stored = 'partition' in stands ? stands : undefined;
  const definition = hasVersion || stored === undefined ? given : versioned(given, stored);
  const result = change(stored, definition, stands.nowMs);
  if (result.kind === 'conflict') throw sameVersion(name, definition.version);
  const belongs = partitions.of(placeOf(name, definition));
  if (!('standing' in result)) return { change: { kind: result.kind }, definition, partition: belongs };
  if (stored === undefined) return { change: result, definition, partition: belongs };
  if (partitions.of(placeOf(name, stored.definition)) !== belongs) throw otherKey(name);
  return { change: result, definition, partition: stored.partition }; // the leader moves it when the queue has grown
}

/** With the version that stands, or the next one where its contents are others. */
function versioned(given: Definition, stored: Stored): Definition {
  const { version } = stored.definition;
  const same = { ...given, version };
  return change(stored, same, stored.nowMs).kind === 'unchanged' ? same : { ...given, version: version + 1 };
}

function sameVersion(name: string, version: number): DuestreamError {
  const what = `the schedule ${name} stands with version ${version} and other contents`;
  return new DuestreamError('ERR_CONFLICT', `${what}: give the change a higher version`);
}

function otherKey(name: string): DuestreamError {
  const what = `the tasks of the schedule ${name} have another key, in another partition`;
  return new DuestreamError('ERR_CONFLICT', `${what}: delete it, and create it anew`);
}
