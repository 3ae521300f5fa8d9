/** Calls that are sent again when their reply is lost, and their late copies. */
import { settle } from './consumer-scripts.js';
import { letterOf, type Moves } from './moves.js';
import { add, cancel, onLane, replay, reschedule, runNow } from './producer-scripts.js';
import type { Run } from './redis.js';
import type { Call, State } from './state.js';

function bodyOf(run: Run, call: Call): string {
  switch (call.verb) {
    case 'add':
      return add(run, call);
    case 'cancel':
      return cancel(run, call);
    case 'reschedule':
      return reschedule(run, call);
    case 'runNow':
      return runNow(run, call);
    case 'replay':
      return replay(run, call);
    case 'complete':
    case 'retry':
    case 'bury':
      return settle(run, call);
  }
}

const execute = (run: Run, call: Call): string => onLane(run, call, () => bodyOf(run, call));

/** The caller waits for an answer with `call`, and with null it has one. */
type Await = (next: State, call: Call | null) => void;

/** Sends a call: it is answered, or its reply is lost, or a copy of it stays in the network, or its script is torn. */
export function send(
  moves: Moves,
  says: string,
  sent: { call: Call; awaits: Await; before?: (next: State) => void },
): void {
  const { call, awaits, before } = sent;
  const { lost, copies } = moves.state.left;
  const tear = (next: State): void => {
    awaits(next, { ...call, ghostLife: 'any' });
    const own = next.redis.ghostLives.find(({ by }) => by === `${call.lane}#${call.number}`);
    if (own) own.by = ''; // who is told of an error may add again
  };
  const whole = (next: State, run: Run): void => {
    before?.(next);
    execute(run, call);
    awaits(next, null);
  };
  moves.script(says, whole, tear);
  if (lost > 0) {
    moves.step(
      `${says}: its reply is lost`,
      (next, run) => {
        whole(next, run);
        awaits(next, call);
      },
      'lost',
    );
  }
  if (copies > 0) {
    moves.step(
      `${says}: a copy stays in the network`,
      (next, run) => {
        whole(next, run);
        next.copies.push(call);
      },
      'copies',
    );
  }
}

export function lateCopies(moves: Moves): void {
  moves.state.copies.forEach((call, at) => {
    moves.step(`the late copy of ${sayCall(call)} arrives`, (next, run) => {
      next.copies.splice(at, 1);
      execute(run, call);
    });
  });
}

export function sayCall({ verb, id, at, expires }: Call): string {
  const words: Partial<Record<Call['verb'], string>> = { runNow: 'run-now', replay: 'replay' };
  const due = verb === 'add' || verb === 'reschedule' ? ` for ${at}` : '';
  const until = expires === null ? '' : `, not after ${expires}`;
  return verb === 'replay' ? 'replay of the oldest letter' : `${words[verb] ?? verb} ${letterOf(id)}${due}${until}`;
}
