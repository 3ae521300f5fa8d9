import type { Choice } from './choice.js';
import { Draws } from './draws.js';
import { dutyNames, LeaderActor } from './leader-actor.js';
import type { Wish } from './producer-actor.js';
import type { World } from './world.js';
import { WorkerActor } from './worker-actor.js';

const ids = ['A', 'B', 'C', 'D', 'E'];
const producers = ['p1', 'p2'];
const leaders = ['l1', 'l2'];
const anyActor = ['w1', 'w2', 'w3', 'l1', 'l2', 'p1', 'p2'];
const delaysMs = [0, 0, 0, 1, 249, 250, 251, 1_000, 3_000, 9_000];

/** What goes wrong in a run, and how often beside the 1,000 of what goes right. */
const faults: readonly (readonly [Choice['do'], number])[] = [
  ['lose', 35],
  ['arrive late', 15],
  ['clock jump', 5],
  ['crash', 4],
  ['freeze', 5],
  ['flush scripts', 2],
  ['restart', 1],
  ['failover', 3],
  ['destroy group', 2],
  ['delete stream', 1],
  ['foreign zadd', 4],
  ['foreign xadd', 8],
  ['forget', 7],
  ['tear', 10],
  ['pause', 10],
  ['stop', 2],
];

/**
 * Draws the next step, looking at the world, so that most steps do something. Each seed leaves some kinds of fault out:
 * what needs much luck together seldom comes where everything else goes wrong as well.
 */
export class Chooser {
  readonly #draws: Draws;
  readonly #faults: readonly (readonly [Choice['do'], number])[];
  #slots = 0;

  constructor(seed: number) {
    this.#draws = new Draws(seed);
    this.#faults = faults.filter(() => this.#draws.chance(0.6));
  }

  next(world: World): Choice {
    const draws = this.#draws;
    const what = draws.weighted<Choice['do']>([
      ['arrive', world.wires().some(({ wire }) => world.hasNews(wire)) ? 700 : 0],
      ['time', 90],
      ['lapse', 5],
      ['end handler', 60],
      ['add', 60],
      ['cancel', 25],
      ['reschedule', 10],
      ['run now', 6],
      ['replay', 8],
      ['duty', 60],
      ['bid', 12],
      ['resign', 1],
      ['replicate', this.#faults.some(([fault]) => fault === 'failover') ? 12 : 0],
      ['thaw', [...world.actors.values()].some(({ frozenMs }) => frozenMs !== undefined) ? 15 : 0],
      ...this.#faults,
    ]);
    return this.#fill(what ?? 'time', world);
  }

  #fill(what: Choice['do'], world: World): Choice {
    const draws = this.#draws;
    const [by, id] = [draws.pick(producers), draws.pick(ids)];
    switch (what) {
      case 'arrive':
        return { do: what, wire: this.#wire(world) };
      case 'lose':
        return { do: what, wire: this.#wire(world), ran: draws.chance(0.6), later: draws.chance(0.7) };
      case 'arrive late':
        return { do: what, at: draws.below(8) };
      case 'time':
        return { do: what, ms: draws.pick([250, 250, 250, 500, 1_000]) };
      case 'lapse':
        return { do: what, ms: draws.pick([1_000, 3_000, 7_000, 16_000]) };
      case 'clock jump':
        return { do: what, ms: draws.pick([1_000, 5_000, 40_000, 600_000, -1_000, -5_000, -60_000]) };
      case 'add':
        return {
          do: what,
          by,
          tasks: draws.chance(0.2) ? [this.#wish(id), this.#wish(draws.pick(ids))] : [this.#wish(id)],
        };
      case 'cancel':
      case 'run now':
      case 'replay':
        return { do: what, by, id };
      case 'reschedule':
        return { do: what, by, id, inMs: draws.pick(delaysMs) };
      case 'pause':
        return { do: what, by, paused: draws.chance(world.ledger.isPaused ? 0.1 : 0.5) ? 1 : 0 };
      default:
        return this.#more(what, world);
    }
  }

  #more(what: Choice['do'], world: World): Choice {
    const draws = this.#draws;
    const by = draws.pick(leaders);
    switch (what) {
      case 'end handler':
        return {
          do: what,
          of: this.#busy(world),
          at: draws.below(2),
          how: draws.pick(['return', 'return', 'throw', 'throw', 'reject']),
        };
      case 'stop':
        return { do: what, of: draws.pick(['w1', 'w2', 'w3']), drainMs: draws.pick([0, 2_000]) };
      case 'duty':
        return {
          do: what,
          by: this.#seated(world) ?? by,
          duty: draws.pick(['promote', 'promote', 'promote', ...dutyNames]),
        };
      case 'bid':
      case 'resign':
        return { do: what, by };
      case 'crash':
        return { do: what, of: draws.pick(anyActor), later: draws.chance(0.6) };
      case 'freeze':
        return { do: what, of: draws.pick(anyActor) };
      case 'thaw':
        return { do: what, of: this.#frozen(world), timersFirst: draws.chance(0.5) };
      case 'restart':
        return { do: what, ms: draws.pick([250, 3_000, 10_000, 30_000]) };
      case 'replicate':
        this.#slots += 1;
        return { do: what, slot: this.#slots % 4 };
      case 'failover':
        return { do: what, slot: draws.below(4) };
      case 'foreign zadd':
        return { do: what, id: draws.pick(ids), inMs: draws.pick([-1_000, 0, 2_000]) };
      case 'tear':
      case 'forget':
      case 'foreign xadd':
        return { do: what, id: draws.pick(ids) };
      case 'flush scripts':
      case 'destroy group':
      case 'delete stream':
        return { do: what };
      default:
        return { do: 'time', ms: 250 };
    }
  }

  #wish(id: string): Wish {
    const draws = this.#draws;
    const name = draws.chance(0.15) ? 'rare' : 'plain';
    return { id, name, inMs: draws.pick(delaysMs), expiresInMs: draws.chance(0.2) ? draws.pick([1, 250, 5_000]) : 0 };
  }

  #wire(world: World): string {
    const withNews = world.wires().filter(({ wire }) => world.hasNews(wire));
    const all = withNews.length > 0 ? withNews : world.wires();
    return this.#draws.pick(all).wire.name;
  }

  #busy(world: World): string {
    const busy = [...world.actors.values()].filter((actor) => actor instanceof WorkerActor && actor.running > 0);
    return busy.length > 0 ? this.#draws.pick(busy).name : 'w1';
  }

  #seated(world: World): string | undefined {
    const seated = [...world.actors.values()].filter((actor) => actor instanceof LeaderActor && actor.seat);
    return seated.length > 0 && this.#draws.chance(0.9) ? this.#draws.pick(seated).name : undefined;
  }

  #frozen(world: World): string {
    const frozen = [...world.actors.values()].filter(({ frozenMs }) => frozenMs !== undefined);
    return frozen.length > 0 ? this.#draws.pick(frozen).name : 'w1';
  }
}
