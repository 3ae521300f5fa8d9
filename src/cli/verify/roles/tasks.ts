import { createHash } from 'node:crypto';
import type { Fate } from '../history/records.js';
import type { Seeded } from '../seeded.js';

/** What a task carries: what its handler will do, and enough to see that it is this task's payload and no other's. */
export interface Payload {
  readonly fate: Fate;
  readonly workMs: number;
  readonly seal: string;
  readonly load: string;
  readonly delicate: unknown;
}

export interface PlannedTask {
  readonly id: string;
  /** A few tasks share one. */
  readonly key: string | undefined;
  readonly payload: Payload;
  /** Undefined: due now. `as`: told as a delay, or as an instant that is so far away. */
  readonly when: { readonly as: 'in' | 'at'; readonly ms: number } | undefined;
  readonly expiresInMs: number | undefined;
  /** Cancelled so long after it was added. */
  readonly cancelAfterMs: number | undefined;
}

const bigBytes = 100_000;
const keys = 50;
/** What Lua's JSON would spoil. */
const delicate = [[], {}, 1_234_567_890_123_456, 0.123_456_789_012_345_68, null, ''];

/** Of each hundred tasks. */
const fates: readonly (readonly [Fate, number])[] = [
  ['work', 84],
  ['flaky', 9],
  ['reject', 2],
  ['slow', 3],
  ['big', 2],
];

export function planTask(id: string, draws: Seeded, fate: Fate = drawFate(draws)): PlannedTask {
  const isDelayed = fate !== 'big' && draws.next() < 0.6;
  const delayMs = Math.floor(draws.between(20, 4_000));
  const as = draws.next() < 0.5 ? 'in' : 'at';
  const isShortLived = draws.next() < 0.02;
  const isCancelled = isDelayed && draws.next() < 0.04;
  return {
    id,
    key: draws.next() < 0.2 ? `key-${Math.floor(draws.between(0, keys))}` : undefined,
    payload: payloadOf(id, fate, draws),
    when: isDelayed ? { as, ms: delayMs } : undefined,
    expiresInMs: isShortLived ? Math.floor(draws.between(1, 200)) : undefined,
    cancelAfterMs: isCancelled ? Math.floor(draws.between(0, 1.2) * delayMs) : undefined,
  };
}

function drawFate(draws: Seeded): Fate {
  let left = draws.between(0, 100);
  for (const [fate, share] of fates) {
    left -= share;
    if (left < 0) return fate;
  }
  return 'work';
}

function payloadOf(id: string, fate: Fate, draws: Seeded): Payload {
  const workMs = Math.floor(fate === 'slow' ? draws.between(500, 2_500) : draws.between(1, 20));
  const seal = sealOf(id);
  return { fate, workMs, seal, load: fate === 'big' ? seal.repeat(bigBytes / seal.length) : seal, delicate };
}

/** The name of the tasks that schedules add. */
export const occurrenceName = 'occurrence';

/** Of all occurrences of a schedule, sealed with its name. */
export function occurrencePayload(schedule: string, fate: Fate): Payload {
  const seal = sealOf(schedule);
  return { fate, workMs: 5, seal, load: seal, delicate };
}

/** Whether this payload was made for this task, or for its schedule, all of it. */
export function isSane({ id, name, payload }: { id: string; name: string; payload: Payload }): boolean {
  const seal = sealOf(name === occurrenceName ? id.slice(0, id.lastIndexOf('@')) : id);
  const times = payload.fate === 'big' ? bigBytes / seal.length : 1;
  const isWhole = JSON.stringify(payload.delicate) === JSON.stringify(delicate);
  return isWhole && payload.seal === seal && payload.load === seal.repeat(times);
}

function sealOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 20);
}
