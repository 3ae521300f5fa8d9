import { createHash } from 'node:crypto';
import { nextNominal } from './nominal.js';
import type { Timing } from './rule.js';

/**
 * When an occurrence is due: its nominal time and its jitter. The jitter is the same wherever and however often it is worked
 * out, and another language can do the same: the first 48 bits, as a big-endian number, of the SHA-256 of the schedule's
 * name, a line feed and the nominal ms in decimal, all in UTF-8; modulo the room it has. That room is `jitterMs`, or the time
 * up to the next nominal time where that is shorter: so no occurrence is due after the next one's nominal time, nor at it.
 */
export function dueOf(timing: Timing, { schedule, nominalMs }: { schedule: string; nominalMs: number }): number {
  if (timing.jitterMs === 0) return nominalMs;
  const nextMs = nextNominal(timing, nominalMs) ?? Infinity;
  const roomMs = Math.min(timing.jitterMs, nextMs - nominalMs);
  const digest = createHash('sha256').update(`${schedule}\n${nominalMs}`).digest();
  return nominalMs + (digest.readUIntBE(0, 6) % roomMs);
}
