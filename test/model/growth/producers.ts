/** add, cancel and replay, as a process makes them: each step one script, and between two of them it may sleep. */
import { letterOf } from '../moves.js';
import { inAny, learn, meet } from './followers.js';
import { everyPlaceOf, placesOf } from './layouts.js';
import { livesSomewhere, type Moves } from './moves.js';
import { execute, look, purge, type Reply, type Run } from './scripts.js';
import { at, type Doing, type Producer, type Sent, type State } from './state.js';
import type { Bound } from './world.js';

export function producerMoves(moves: Moves, by: number): void {
  const { state, world } = moves;
  const producer = at(state.producers, by);
  const asked = at(world.producers, by)[producer.made];
  if (producer.doing) goOn(moves, by, producer.doing);
  else if (asked?.[0] === 'learn') {
    moves.step(`P${by + 1} asks what the layout is`, (run) => {
      const one = at(run.state.producers, by);
      one.made += 1;
      learn(run, one, run.root.layout);
    });
  } else if (asked) {
    const [verb, id] = asked;
    const op = world.producers.slice(0, by).flat().length + producer.made;
    goOn(
      moves,
      by,
      begun(state, world, {
        op,
        id,
        verb: verb === 'cancel' || verb === 'replay' ? verb : 'add',
        belief: producer.belief,
      }),
    );
  }
}

function begun(
  state: State,
  world: Bound,
  { op, id, verb, belief }: Pick<Doing, 'op' | 'id' | 'verb'> & { belief: string },
): Doing {
  const isAlive = livesSomewhere(state, id);
  const blank = { op, id, verb, layout: belief, at: 0, others: [], number: 0, letter: null } as const;
  const doing = {
    ...blank,
    stage: verb === 'replay' ? 'decide' : verb,
    ghostAlive: isAlive,
    ghostGone: !isAlive,
  } as const;
  return verb === 'replay' ? doing : placed(doing, world, belief);
}

/** Where it is to be added or cancelled, and where else to look: before an add, or after a cancel that found nothing. */
function placed(doing: Doing, world: Bound, belief: string): Doing {
  const [belongs, ...former] = placesOf(belief, at(world.keys, doing.id));
  const where = { ...doing, layout: belief, at: belongs, number: 0 };
  if (doing.stage === 'cancel') return { ...where, others: othersToAsk(doing.id, world, belief) };
  const looks = world.rules.looks && at(world.producers.flat(), doing.op)[0] !== 'new';
  return { ...where, others: looks ? former : [] };
}

function othersToAsk(id: number, { rules, keys, partitions }: Bound, belief: string): number[] {
  const [belongs, ...former] = placesOf(belief, at(keys, id));
  const rest = everyPlaceOf(belief, at(keys, id)).filter((place) => place !== belongs && !former.includes(place));
  const all = [...(rules.asksFormer ? former : []), ...(rules.asksFirst ? rest : [])];
  return all.filter((place) => partitions.includes(place));
}

function goOn(moves: Moves, by: number, doing: Doing): void {
  const { id, at: place, letter } = doing;
  const who = `P${by + 1}`;
  const what = letterOf(id);
  const act = (says: string, change: (run: Run, producer: Producer) => void): void =>
    moves.step(`${who} ${says}`, (run) => {
      const producer = at(run.state.producers, by);
      producer.doing = doing;
      change(run, producer);
    });
  const [other] = doing.others;
  if (doing.stage === 'decide') act(`looks for the letter of ${what}`, decide);
  else if (doing.stage === 'add' && other !== undefined) {
    act(`looks for ${what} at ${other}`, (run, producer) => lookThere(run, producer, other));
  } else if (doing.stage === 'purge' && letter) {
    act(`throws away the letter of ${what}`, (run, producer) => {
      const { ghostMade } = run.state;
      if (!ghostMade[doing.op]) run.breaks('LETTER_LOST');
      purge(run, letter.at, letter.no);
      if (run.rules.moveAddsFirst) answer(run, producer, 'replayed');
      else producer.doing = { ...doing, stage: 'add' };
    });
  } else send(moves, by, { doing, says: `${who}: ${doing.stage} ${what} at ${place}, of ${doing.layout}` });
}

/** Where the letter is, and whether it becomes a task there. The root was asked what the layout is. */
function decide(run: Run, producer: Producer): void {
  const doing = producer.doing as Doing;
  learn(run, producer, run.root.layout);
  const { belief } = producer;
  const place = run.state.partitions.findLastIndex((one) => one?.dead.some(({ id }) => id === doing.id));
  const found = run.state.partitions[place]?.dead.find(({ id }) => id === doing.id);
  if (!found) return answer(run, producer, 'not found');
  const letter = { at: place, no: found.no };
  const isAtHome = placesOf(belief, run.keyOf(doing.id))[0] === place || !run.rules.replayMoves;
  if (isAtHome) producer.doing = { ...doing, stage: 'replay', layout: belief, at: place, number: 0, letter };
  else {
    const moving = placed({ ...doing, stage: 'add', letter }, run.world, belief);
    producer.doing = run.rules.moveAddsFirst ? moving : { ...moving, stage: 'purge' };
  }
}

function lookThere(run: Run, producer: Producer, other: number): void {
  const doing = producer.doing as Doing;
  const reply = inAny(run, producer, other, (layout) => look(run, other, { layout, id: doing.id }));
  if (reply === undefined) answer(run, producer, 'failed');
  else if (reply === 'there') answer(run, producer, 'duplicate');
  else producer.doing = { ...doing, others: doing.others.slice(1) };
}

/** A write on its lane: it is answered, or its reply is lost, or a copy of it stays in the network. */
function send(moves: Moves, by: number, { doing, says }: { doing: Doing; says: string }): void {
  const { state, world } = moves;
  const { rules } = world;
  const { belief, numbers } = at(state.producers, by);
  const isBound = doing.stage === 'add' ? rules.addBound : doing.stage === 'replay' && rules.replayBound;
  const number = doing.number || at(numbers, doing.at) + 1;
  const { id, op, at: place } = doing;
  const isLater = at(world.producers.flat(), op)[0] === 'later';
  const [layout, letter] = [isBound ? doing.layout : belief, doing.letter?.no ?? 0];
  const verb = doing.stage as 'add' | 'cancel' | 'replay';
  const sent: Sent = { verb, at: place, layout, by, number, op, id, isLater, letter, from: '', waits: null };
  const whole = (run: Run): Reply => {
    const producer = at(run.state.producers, by);
    producer.numbers = producer.numbers.with(place, number);
    producer.doing = { ...doing, number };
    return execute(run, sent);
  };
  const told = (run: Run): void => {
    const reply = whole(run);
    const producer = at(run.state.producers, by);
    if (typeof reply === 'string') take(run, producer, reply);
    else if (!meet(run, producer, { at: place, found: reply.layout })) answer(run, producer, 'failed');
    else if (isBound && !(producer.belief === doing.layout && rules.sameCallAgain)) again(run, producer);
  };
  moves.step(says, told);
  if (state.left.lost > 0) moves.step(`${says}: its reply is lost`, whole, 'lost');
  if (state.left.copies === 0) return;
  moves.step(
    `${says}: a copy stays in the network`,
    (run) => {
      told(run);
      run.state.copies = [...run.state.copies, sent];
    },
    'copies',
  );
}

/** Nothing was done, for the queue has grown: it finds its place anew. */
function again(run: Run, producer: Producer): void {
  const doing = producer.doing as Doing;
  producer.doing =
    doing.stage === 'replay'
      ? { ...doing, stage: 'decide', number: 0, letter: null }
      : placed(doing, run.world, producer.belief);
}

function take(run: Run, producer: Producer, reply: string): void {
  const doing = producer.doing as Doing;
  const [next, ...others] = doing.others;
  if (reply === 'not found' && doing.stage === 'cancel') {
    if (next !== undefined) producer.doing = { ...doing, at: next, others, number: 0 };
    else if (producer.belief !== doing.layout && run.rules.asksAgain) {
      producer.doing = placed(doing, run.world, producer.belief);
    } else answer(run, producer, reply);
  } else if (reply === 'added' && doing.letter && run.rules.moveAddsFirst)
    producer.doing = { ...doing, stage: 'purge' };
  else answer(run, producer, reply);
}

/** What the caller is told must be so. */
function answer(run: Run, producer: Producer, reply: string): void {
  const { op, verb, ghostAlive, ghostGone } = producer.doing as Doing;
  const hasMade = (run.state.ghostMade[op] ?? 0) > 0;
  producer.doing = null;
  producer.made += 1;
  if ((reply === 'added' || reply === 'replayed') && !hasMade) run.breaks('FALSE_ADDED');
  if ((reply === 'duplicate' || reply === 'conflict') && (hasMade || !ghostAlive)) run.breaks('FALSE_DUPLICATE');
  if (reply === 'not found' && verb === 'cancel' && !ghostGone) run.breaks('MISSED');
  if (reply === 'not found' && verb === 'replay' && hasMade) run.breaks('FALSE_NOT_FOUND');
}
