import { partitionOf } from '../../../testing.js';
import type { HistoryRecord, RecordOf } from '../history/records.js';

/** In which partitions something may be. Undefined: nobody knows, it may be any. */
export type Places = ReadonlySet<number> | undefined;

/** The first partition: who leads the queue is decided there, where its own Redis votes. */
export const home: Places = new Set([0]);

const partitionsMax = 64;

/** In which partition each task was, as far as Redis noted anything of it. */
export function notedPlaces(records: readonly HistoryRecord[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const record of records) {
    if (record.what !== 'audit') continue;
    const { partition = 0 } = record;
    if (record.op === 'end') places.set(record.id, partition);
    if (record.op === 'promote' || record.op === 'tick') for (const id of record.ids) places.set(id, partition);
  }
  return places;
}

/** The numbers of partitions that a queue may have had: each growth doubles them. */
export function layoutsOf(partitions: number, growths: number): number[] {
  const layouts = Array.from({ length: growths + 1 }, (_, times) => partitions * 2 ** times);
  return layouts.filter((count) => count <= Math.max(partitions, partitionsMax));
}

/** Whether both may be in the same one. */
export function meet(one: Places, other: Places): boolean {
  return one === undefined || other === undefined || [...other].some((place) => one.has(place));
}

/** What is known of a task whose place is asked for. */
interface Placed {
  readonly id: string;
  readonly nominal: unknown;
  readonly adds: readonly RecordOf<'add'>[];
}

/** What nothing was noted of is where its key belongs; of an occurrence only Redis' notes tell. */
export function placesOf(
  { id, nominal, adds: [add] }: Placed,
  { noted, layouts }: { noted: ReadonlyMap<string, number>; layouts: readonly number[] },
): Places {
  const place = noted.get(id);
  if (place !== undefined) return new Set([place]);
  if (nominal !== undefined || add === undefined) return undefined;
  return new Set(layouts.map((partitions) => partitionOf(add.key ?? id, partitions)));
}
