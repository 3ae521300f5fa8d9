import type { Actor } from './actor.js';
import type { Choice } from './choice.js';
import { keys } from './ground.js';
import { LeaderActor } from './leader-actor.js';
import { ProducerActor } from './producer-actor.js';
import { tear } from './torn.js';
import { quantumMs, type World } from './world.js';
import { WorkerActor } from './worker-actor.js';

/** Commands that arrive within one moment of a lapse, at most: an endless one would be a fault of its own. */
const lapseRunsMax = 300;

/** Takes one step; whatever needs no time has then happened. */
export async function take(world: World, choice: Choice): Promise<void> {
  await step(world, choice);
  await settle();
  for (const [name, actor] of world.actors) if (actor.isOver) world.revive(name);
}

/** A turn of the event loop comes after all promises that can settle; what is sent at its end leads to a few more. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function step(world: World, choice: Choice): Promise<void> {
  switch (choice.do) {
    case 'arrive':
    case 'lose':
      return onWire(world, choice);
    case 'arrive late':
      return world.arriveLate(choice.at);
    case 'time':
      return world.pass(choice.ms);
    case 'lapse':
      return lapse(world, choice.ms);
    case 'clock jump':
      world.met.add(choice.ms > 0 ? 'the clock jumped forward' : 'the clock jumped back');
      return world.shift(choice.ms);
    case 'crash':
    case 'freeze':
    case 'thaw':
      return onActor(world, choice);
    case 'flush scripts':
    case 'restart':
    case 'replicate':
    case 'failover':
      return onServer(world, choice);
    case 'destroy group':
    case 'delete stream':
    case 'foreign zadd':
    case 'foreign xadd':
    case 'forget':
    case 'tear':
      return byOperator(world, choice);
    default:
      return byActor(world, choice);
  }
}

async function onWire(world: World, choice: Extract<Choice, { do: 'arrive' | 'lose' }>): Promise<void> {
  const found = world.wires().find(({ wire }) => wire.name === choice.wire);
  if (found === undefined) return;
  const { wire, actor } = found;
  if (choice.do === 'arrive') return void (await world.arrive(wire, actor));
  if (choice.ran && wire.head && (await world.arrive(wire, actor, false))) {
    world.met.add(`answer lost: ${wire.queue[0]?.op}`);
  }
  wire.lose();
  if (!choice.later) world.ghosts.pop();
}

async function onActor(world: World, choice: Extract<Choice, { do: 'crash' | 'freeze' | 'thaw' }>): Promise<void> {
  const actor = world.actors.get(choice.of);
  if (choice.do === 'freeze') actor?.freeze();
  else if (choice.do === 'thaw') await actor?.thaw(choice.timersFirst);
  else if (actor) {
    if (choice.later) world.ghosts.push(...actor.wires.map(({ queue }) => queue.filter(({ hasRun }) => !hasRun)));
    world.revive(choice.of);
    world.met.add(`crash of a ${kindOf(actor)}`);
  }
}

function kindOf(actor: Actor): string {
  if (actor instanceof WorkerActor) return 'worker';
  return actor instanceof LeaderActor ? 'leader' : 'producer';
}

type ServerChoice = Extract<Choice, { do: 'flush scripts' | 'restart' | 'replicate' | 'failover' }>;

async function onServer(world: World, choice: ServerChoice): Promise<void> {
  switch (choice.do) {
    case 'flush scripts':
      return void (await world.ground.ask('SCRIPT', 'FLUSH'));
    case 'restart':
      await world.pass(choice.ms);
      await world.ground.ask('DEBUG', 'RELOAD');
      await world.ground.ask('SCRIPT', 'FLUSH');
      world.dropAll();
      return void world.met.add('restarted');
    case 'replicate':
      return world.replicate(choice.slot);
    case 'failover':
      if (await world.failOver(choice.slot)) world.met.add('failed over');
  }
}

type OperatorChoice = Extract<
  Choice,
  { do: 'destroy group' | 'delete stream' | 'foreign zadd' | 'foreign xadd' | 'forget' | 'tear' }
>;

async function byOperator(world: World, choice: OperatorChoice): Promise<void> {
  const { ledger, ground, met } = world;
  if (choice.do === 'foreign zadd') {
    if (ledger.lives.get(choice.id)?.place !== 'ready' && ledger.lives.get(choice.id)?.place !== 'active') return;
    const score = world.nowMs + choice.inMs;
    await ground.ask('ZADD', keys.due, score, choice.id);
    ledger.strays.set(choice.id, score);
  } else if (choice.do === 'tear') {
    const leader = world.actors.get('l1');
    if (leader) await tear(world, choice.id);
  } else if (choice.do === 'foreign xadd') {
    const entry = await ground.ask('XADD', keys.stream, '*', 'id', choice.id, 'due', world.nowMs);
    ledger.foreign.set(String(entry), { consumer: undefined, idleMs: 0 });
  } else if (choice.do === 'forget') {
    const life = ledger.lives.get(choice.id);
    if (life?.place !== 'active' || ledger.strays.has(choice.id)) return;
    for (const key of [keys.tasks, keys.runs, keys.live]) await ground.ask('HDEL', key, choice.id);
    await ground.ask('ZREM', keys.expiry, choice.id);
    ledger.forget(life);
    met.add('a task at work was forgotten');
  } else if (choice.do === 'destroy group') {
    if (ledger.active.length > 0) met.add('a group with deliveries was destroyed');
    await world.loseGroup();
  } else if (ledger.strays.size === 0) await world.loseStream();
}

type ActorChoice = Exclude<
  Choice,
  | ServerChoice
  | OperatorChoice
  | { do: 'arrive' | 'lose' | 'arrive late' | 'time' | 'lapse' | 'clock jump' | 'crash' | 'freeze' | 'thaw' }
>;

async function byActor(world: World, choice: ActorChoice): Promise<void> {
  const actor = world.actors.get('of' in choice ? choice.of : choice.by);
  if (actor === undefined || actor.frozenMs !== undefined) return;
  if (actor instanceof WorkerActor) {
    if (choice.do === 'end handler') actor.end(choice.at, choice.how);
    if (choice.do === 'stop') actor.stop(choice.drainMs);
  }
  if (actor instanceof LeaderActor) {
    if (choice.do === 'bid') actor.bid();
    if (choice.do === 'resign') actor.resign();
    if (choice.do === 'duty') actor.work(choice.duty);
  }
  if (actor instanceof ProducerActor) byProducer(actor, choice);
}

function byProducer(actor: ProducerActor, choice: ActorChoice): void {
  switch (choice.do) {
    case 'add':
      return actor.add(choice.tasks);
    case 'cancel':
      return actor.cancel(choice.id);
    case 'reschedule':
      return actor.reschedule(choice.id, choice.inMs);
    case 'run now':
      return actor.runNow(choice.id);
    case 'replay':
      return actor.replay(choice.id);
    case 'pause':
      return actor.setPaused(choice.paused);
    default:
  }
}

async function lapse(world: World, ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0 && !world.violation; leftMs -= quantumMs) {
    await world.pass(quantumMs);
    await arriveAll(world);
  }
}

/** Everything that can arrive does, each wire in its turn; who was first is last the next time. */
export async function arriveAll(world: World): Promise<void> {
  let left = lapseRunsMax;
  for (let moved = true; moved && left > 0 && !world.violation; ) {
    moved = false;
    for (const { wire, actor } of rotated(world.wires(), world.ran)) {
      if (actor.frozenMs !== undefined || !world.hasNews(wire)) continue;
      left -= 1;
      moved = (await world.arrive(wire, actor)) || moved;
      await settle();
    }
  }
  if (left <= 0) throw new Error(`${lapseRunsMax} commands in one moment, and no end`);
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
