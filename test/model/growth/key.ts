/** One key for all states that go on alike: lanes and numbers count only while a call may come again. */
import { hash } from 'node:crypto';
import type { Doing, Partition, Sent, State, Task } from './state.js';

export function keyOf(state: State): string {
  const { partitions, producers, growers, pauser, copies, replica, left, ghostMade, ghostQueue } = state;
  const isAsked =
    left.lost + left.copies + copies.length > 0 || producers.some(({ doing }) => (doing?.number ?? 0) > 0);
  const parts = [
    ...partitions.map((one) => partitionKey(one, isAsked)),
    ...producers.map(({ belief, made, doing, numbers }) =>
      [belief, made, doing ? doingKey(doing) : '', isAsked ? numbers.join() : ''].join(),
    ),
    ...growers.map((one) => [one.read, ...one.left].join()),
    [pauser.belief, pauser.made, pauser.text, ...pauser.left].join(),
    leaderKey(state),
    ...copies.map(sentKey),
    replica ? partitionKey(replica, isAsked) : '',
    Object.values(left).join(),
    ghostMade.join(),
    ghostQueue,
  ];
  return hash('sha1', parts.join('|'), 'base64');
}

/** Of what all ends well, or not. */
export function prospectKey(state: State): string {
  return [...state.partitions.map((one) => partitionKey(one, false)), leaderKey(state)].join('|');
}

function partitionKey(one: Partition | null, isAsked: boolean): string {
  if (!one) return '';
  const { layout, isPaused, waits, split, later, due, stream, active, dead, lanes } = one;
  const letters = dead.map(({ no, id }) => `${no} ${id}`).join();
  const kept = isAsked ? lanes.map((lane) => (lane ? lane.number + lane.reply : '')).join() : '';
  const tasks = [later, due, stream, active].map((list) => list.map(taskKey).join()).join(';');
  return `${layout};${isPaused ? 1 : 0};${waits ?? ''};${split};${tasks};${letters};${kept}`;
}

function taskKey({ id, op, isDueBySplit, isMarked, ghostAddedAt, ghostDueAt }: Task): string {
  return `${id} ${op} ${isDueBySplit ? 1 : 0}${isMarked ? 1 : 0} ${ghostAddedAt} ${ghostDueAt}`;
}

function doingKey({ op, stage, layout, at, others, number, letter, ghostAlive, ghostGone }: Doing): string {
  const ghost = `${ghostAlive ? 1 : 0}${ghostGone ? 1 : 0}`;
  return [op, stage, layout, at, others.length, number, letter?.at, letter?.no, ghost].join();
}

function sentKey({ verb, at, layout, by, number, op, letter, from, waits }: Sent): string {
  return [verb, at, layout, by, number, op, letter, from, waits].join();
}

function leaderKey({ leader: { belief, seen, handedOut, released, cursors } }: State): string {
  return [belief, seen, inOrder(handedOut), inOrder(released), cursors.join()].join();
}

const inOrder = (places: readonly number[]): string => places.toSorted((one, other) => one - other).join();
