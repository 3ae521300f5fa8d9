import type { EveryRule } from './rule.js';

/** Which seconds of a minute, minutes of an hour and hours of a day a rule may come to; a pattern of croner is one. */
export interface Reach {
  readonly second: Reached;
  readonly minute: Reached;
  readonly hour: Reached;
}

/** By its number, whether it does. */
type Reached = readonly (number | boolean)[];

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Of a distance, whose times are those of UTC. */
export function reachOf({ everyMs, anchorMs }: EveryRule): Reach {
  const reached = (unitMs: number, count: number): Reached => {
    const turnMs = unitMs * count;
    const stepMs = greatestDivisor(everyMs, turnMs);
    const all = Array.from({ length: count }, () => stepMs <= unitMs);
    const firstMs = ((anchorMs % stepMs) + stepMs) % stepMs;
    for (let ms = firstMs; stepMs > unitMs && ms < turnMs; ms += stepMs) all[Math.floor(ms / unitMs)] = true;
    return all;
  };
  return { second: reached(secondMs, 60), minute: reached(minuteMs, 60), hour: reached(hourMs, 24) };
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}
