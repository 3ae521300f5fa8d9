import type { Arena } from '../arena.js';
import { nowMs } from '../history/instant.js';
import type { Cost } from '../history/records.js';
import type { Seeded } from '../seeded.js';
import { boardOf, withoutShim } from '../shim/held.js';
import type { Fault, Making } from './fault.js';
import { one } from './processes.js';

/** What an NTP daemon that steps may do. Half the steps are as large as they get. */
const stepMsMax = 2_000;
const stepMsMin = 200;
/** An operator's wrong hand, a dead battery. */
const leapMs = 3_600_000;
const holdMs = { min: 500, max: 6_000 };

/** Faults of the clock on the wall: it steps, either way, is wrong for a while, and steps back. */
export const clockFaults: readonly Fault[] = [
  onClockOf('redis', 'clock-redis-step', { costs: ['clock'], draw: drawStepMs }),
  {
    ...onClockOf('redis', 'clock-redis-leap', { costs: ['clock'], draw: (draws) => draws.pick([-leapMs, leapMs]) }),
    alone: true,
  },
  onClockOf('actor', 'clock-process-step', { costs: [], draw: drawStepMs }),
];

function drawStepMs(draws: Seeded): number {
  const sizeMs = draws.next() < 0.5 ? stepMsMax : Math.round(draws.between(stepMsMin, stepMsMax));
  return draws.pick([-sizeMs, sizeMs]);
}

/** It holds a clock, not its process: a server that is killed or frozen while its clock is wrong is part of the game. */
function onClockOf(
  whose: 'redis' | 'actor',
  name: string,
  { costs, draw }: { costs: readonly Cost[]; draw: (draws: Seeded) => number },
): Fault {
  return {
    name,
    missing: (arena) => withoutShim(arena, whose === 'redis' ? ['redis'] : arena.actors.map((actor) => actor.name)),
    plan: (arena, draws) => {
      const target = whose === 'redis' ? 'redis' : anyActor(arena, draws);
      const run = async (making: Making): Promise<void> => {
        step(target, draw(making.draws), making);
        await making.wait(making.draws.between(holdMs.min, holdMs.max));
        step(target, 0, making);
      };
      return { target, costs, holds: [`clock of ${target}`], run };
    },
  };
}

function anyActor(arena: Arena, draws: Seeded): string {
  return one(arena, draws.pick(['producer', 'leader', 'worker']), draws).name;
}

function step(target: string, offsetMs: number, { arena, note }: Making): void {
  const sinceMs = nowMs();
  boardOf(arena, target).stepTo(offsetMs);
  note({ what: 'clock_step', target, offsetMs, sinceMs });
}
