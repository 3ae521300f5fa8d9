import type { Reply } from '../../src/redis/reply.js';
import { type Case, decodeAnswer, decodeRun, demand, scriptOf } from './case.js';
import * as consumer from './judge-consumer.js';
import * as leader from './judge-leader.js';
import * as producer from './judge-producer.js';
import { judgeRecover } from './judge-recovery.js';

const rulings: Readonly<Record<string, (at: Case) => void>> = {
  add: producer.judgeAdd,
  cancel: producer.judgeCancel,
  reschedule: producer.judgeReschedule,
  'run-now': producer.judgeRunNow,
  pause: producer.judgePause,
  replay: producer.judgeReplay,
  lead: leader.judgeLead,
  resign: leader.judgeResign,
  promote: leader.judgePromote,
  expire: leader.judgeExpire,
  sweep: leader.judgeSweep,
  reap: leader.judgeReap,
  age: leader.judgeAge,
  join: consumer.judgeJoin,
  leave: consumer.judgeLeave,
  open: consumer.judgeOpen,
  beat: consumer.judgeBeat,
  next: consumer.judgeNext,
  retry: consumer.judgeSettle,
  bury: consumer.judgeSettle,
  recover: judgeRecover,
  'hand-back': consumer.judgeHandBack,
};

type World = Omit<Case, 'definition' | 'args' | 'items' | 'reply'>;

/** Rules on one command that has run: whether it was allowed to answer so; and moves the ledger on. */
export function judge(world: World, command: readonly string[], reply: Reply): void {
  const definition = scriptOf(command);
  if (definition === undefined) {
    if (command[0] === 'XREADGROUP') judgeRead(world, command, reply);
    return;
  }
  const run = decodeRun(definition, command);
  const at: Case = { ...world, ...run, reply: decodeAnswer(definition, reply) };
  if (judgeLane(at, firstAnswer(at, reply))) rulings[definition.name]?.(at);
}

/** What a repeated call must get again: all of its reply; of next, which reads nothing the second time, the marks. */
function firstAnswer({ definition, reply: { status, marks } }: Case, reply: Reply): string {
  return definition.name === 'next' && status !== 'late_call' ? String(marks) : JSON.stringify(reply);
}

/** True when the call is the first of its number. */
function judgeLane({ args, ledger, reply, met, definition }: Case, text: string): boolean {
  const { lane = '', call } = args;
  if (lane === '') return true;
  const number = Number(call);
  const last = ledger.lanes.get(lane);
  if (last && number < last.call) {
    demand(reply.status === 'late_call', 'late-call-refused', () => `${definition.name} got ${text}`);
    met('late call refused');
    return false;
  }
  if (last && number === last.call) {
    demand(text === last.reply, 'first-answer', () => `${definition.name}: ${last.reply}, and repeated ${text}`);
    met(`repeated: ${definition.name}`);
    return false;
  }
  demand(reply.status !== 'late_call', 'late-call', () => `${definition.name}: ${lane} ${call} is no late call`);
  ledger.lanes.set(lane, { call: number, reply: text });
  return true;
}

function judgeRead(world: World, command: readonly string[], reply: Reply): void {
  if (reply === null) return;
  const [[, entries]] = reply as [[string, [string, string[]][]]];
  const at = { ...world, args: {}, items: [], reply: { status: 'ok' } } as unknown as Case;
  consumer.judgeRead(
    at,
    command[3] ?? '',
    entries.map(([entry, [, id]]) => [entry, id ?? ''] as const),
  );
}
