import type { Choice } from './choice.js';
import { Chooser } from './chooser.js';
import { Violation } from './case.js';
import { type Ground, keys } from './ground.js';
import type { LeaderActor } from './leader-actor.js';
import { arriveAll, take } from './steps.js';
import { WorkerActor } from './worker-actor.js';
import { World } from './world.js';

export interface Run {
  readonly seed: number;
  readonly choices: Choice[];
  readonly ran: number;
  /** Of the choices; the last broke a rule, if any did. */
  readonly taken: number;
  readonly met: ReadonlySet<string>;
  readonly violation: Violation | undefined;
  /** Whether the steps were all taken, and what came after them broke the rule. */
  readonly cameToRest: boolean;
}

/** How often a queue may be looked after until it is empty; and then, for some seeds, to see the dead consumers go. */
const moments = { busy: 3_000, idle: 170 };

/** Steps drawn from the seed, then rest; ends with the first rule that is broken. */
export async function explore(ground: Ground, seed: number, steps: number): Promise<Run> {
  const chooser = new Chooser(seed);
  const choices: Choice[] = [];
  return play(ground, seed, {
    choices,
    next: (world) => {
      if (choices.length >= steps) return undefined;
      const choice = chooser.next(world);
      choices.push(choice);
      return choice;
    },
  });
}

/** Just these steps, then rest, if that matters. */
export async function repeat(
  ground: Ground,
  { seed, choices, rests }: { seed: number; choices: Choice[]; rests: boolean },
): Promise<Run> {
  let at = 0;
  return play(ground, seed, { choices, rests, next: () => choices[at++] });
}

async function play(
  ground: Ground,
  seed: number,
  of: { choices: Choice[]; rests?: boolean; next: (world: World) => Choice | undefined },
): Promise<Run> {
  await ground.reset();
  const world = new World(ground, seed);
  await take(world, { do: 'time', ms: 0 });
  let taken = 0;
  for (let choice = of.next(world); choice !== undefined; choice = of.next(world)) {
    await take(world, choice);
    taken += 1;
    if (world.violation) break;
  }
  const cameToRest = world.violation === undefined;
  if (cameToRest && of.rests !== false) await rest(world, seed);
  const { ran, met, violation } = world;
  return { seed, choices: of.choices, taken, ran, met, violation, cameToRest };
}

/** Faults end, everybody goes on, handlers return, somebody leads: what is left after a while is lost. */
async function rest(world: World, seed: number): Promise<void> {
  for (const { name } of world.actors.values()) await take(world, { do: 'thaw', of: name, timersFirst: true });
  while (world.ghosts.some((ghost) => ghost.length > 0)) await take(world, { do: 'arrive late', at: 0 });
  const isBusy = (): boolean => {
    const { lives, strays, foreign } = world.ledger;
    return lives.size + strays.size + foreign.size > 0;
  };
  for (let left = moments.busy; left > 0 && isBusy() && !world.violation; left -= 1) await work(world, 250);
  for (let left = seed % 4 === 0 ? moments.idle : 0; left > 0 && !world.violation; left -= 1) await work(world, 750);
  if (!world.violation) await demandEmpty(world);
  if (!world.violation && seed % 4 === 0) await demandNoneDead(world);
}

async function work(world: World, ms: number): Promise<void> {
  for (const actor of world.actors.values()) {
    if (actor instanceof WorkerActor) while (actor.running > 0) actor.end(0, 'return');
  }
  const leader = world.actors.get('l1') as LeaderActor;
  if (leader.seat === undefined) leader.bid();
  else for (const duty of ['promote', 'expire', 'sweep', 'reap'] as const) leader.work(duty);
  if (world.ledger.isPaused) await take(world, { do: 'pause', by: 'p1', paused: 0 });
  await arriveAll(world);
  await take(world, { do: 'time', ms });
}

async function demandEmpty(world: World): Promise<void> {
  const { due, tasks, live, runs, expiry } = keys;
  const left: string[] = [];
  for (const key of [due, tasks, live, runs, expiry]) {
    if ((await world.ground.ask('EXISTS', key)) !== 0) left.push(key);
  }
  if (world.ledger.lives.size > 0) left.push(world.ledger.words());
  if (left.length > 0) world.violation = new Violation('nothing-lost', `left at the end: ${left.join(', ')}`);
}

async function demandNoneDead(world: World): Promise<void> {
  const flat = (await world.ground.ask('HGETALL', keys.consumers)) as string[];
  const dead = flat.filter((value, at) => {
    const [leaseMs, beatMs] = value.split(' ').map(Number);
    return at % 2 === 1 && world.nowMs - Number(beatMs) > 12 * Number(leaseMs);
  });
  if (dead.length > 0) world.violation = new Violation('dead-consumers-go', dead.join(', '));
}
