/**
 * A queue's layout, as every partition's `meta` keeps it and every script is given it: `format/partitions`, and `<n` for
 * each number of partitions that the queue has grown from and still has tasks of. `1/16<8`: format 1, sixteen
 * partitions, eight before that.
 */

/** The record format this library writes and the newest it reads. */
export const formatVersion = 1;

/** How many partitions there are, and how many there were, the newest first: tasks of then may lie where they lay. */
export interface Shape {
  readonly partitions: number;
  readonly former: readonly number[];
}

export function layoutOf(partitions: number, former: readonly number[] = []): string {
  return `${formatVersion}/${[partitions, ...former].join('<')}`;
}

/** Undefined for a layout of another format. */
export function shapeOf(layout: string): Shape | undefined {
  const [, format, counts] = /^(\d+)\/([1-9]\d{0,5}(?:<[1-9]\d{0,5})*)$/.exec(layout) ?? [];
  if (counts === undefined || Number(format) !== formatVersion) return undefined;
  const [partitions, ...former] = counts.split('<').map(Number) as [number, ...number[]];
  return { partitions, former };
}

/** Whether the queue went on from `other` to `layout`: it grew, or was done with what it had grown from. */
export function isAfter(layout: string, other: string): boolean {
  const [to, from] = [shapeOf(layout), shapeOf(other)];
  if (to === undefined || from === undefined) return false;
  if (to.partitions === from.partitions) return to.former.length < from.former.length;
  return to.partitions > from.partitions && to.partitions % from.partitions === 0;
}
