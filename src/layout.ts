/**
 * A queue's layout, as every partition's `meta` keeps it and every script is given it: `format/partitions`, and `<n` for
 * each number of partitions that the queue has grown from and still has tasks of. `1/16<8`: format 1, sixteen
 * partitions, eight before that.
 */

import { DuestreamError, invalid } from './errors.js';

/** How many partitions a queue may have. */
export const partitionsMax = 1_024;

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

export function otherPartitions(queue: string, believed: number, stored: number): DuestreamError {
  return new DuestreamError(
    'ERR_OTHER_LAYOUT',
    `queue "${queue}" has ${stored} partitions in Redis, and this process was told ${believed}: tell it ` +
      `${stored}, or nothing, for it takes what Redis says; a queue gets more by 'queue grow'`,
  );
}

/** A task of 8 partitions must find its place among 16 without being moved: its partition's number stays, or grows. */
export function noMultiple(queue: string, partitions: number, wanted: number): DuestreamError {
  const can = growthsOf(partitions);
  const advice =
    can.length === 0 ? 'it can not grow: split it into several queues' : `it can grow to ${can.join(', ')}`;
  const shrinks = wanted < partitions ? ', and it can not shrink' : '';
  return invalid(`queue "${queue}" has ${partitions} partitions: ${advice}${shrinks}; got ${wanted}`);
}

/** To what it can grow, for messages: the first few. */
function growthsOf(partitions: number): string[] {
  const multiples = [2, 3, 4].map((times) => times * partitions).filter((one) => one <= partitionsMax);
  return multiples.length < 3 ? multiples.map(String) : [...multiples.slice(0, 2).map(String), 'another multiple'];
}

export function otherLayout(queue: string, layout: string, stored: string): DuestreamError {
  return new DuestreamError(
    'ERR_OTHER_LAYOUT',
    `queue "${queue}" has the layout ${stored} (format/partitions) in Redis, this process believes ${layout}: ` +
      'start all that use this queue with one version',
  );
}

/** Whoever means to grow a queue does not mean to make one. */
export function notThere(queue: string): DuestreamError {
  return new DuestreamError(
    'ERR_NO_QUEUE',
    `there is no queue "${queue}": create makes one, with as many partitions as you like`,
  );
}

/** It has begun, and can't be taken back: but some partitions have not heard of it. */
export function notAll(
  queue: string,
  partitions: number,
  failed: readonly { index: number; error: unknown }[],
): DuestreamError {
  const which = failed.slice(0, 8).map(({ index }) => index);
  const where = `partition ${which.join(', ')}${failed.length > which.length ? ' and others' : ''}`;
  return new DuestreamError(
    'ERR_OUTCOME_UNKNOWN',
    `queue "${queue}" has ${partitions} partitions by now, but ${where} could not be told: its leader does that, or repeat the call`,
    { cause: failed[0]?.error },
  );
}
