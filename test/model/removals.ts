/**
 * What each rule is for: the scenario in which it is missed, what then breaks, and the length of the shortest way there.
 * Of two rules in one row the first is doubled by the second: without it alone nothing breaks so. `trace` is the number in
 * test/lua/traces.test.ts, where a real Redis shows the same. 11 is not here: there are no recurring schedules yet.
 */
import { notYet, type Rule, sentences } from './rules.js';
import { type Broken, meanings } from './state.js';

export interface Removal {
  /** Its place in the list of the traces that were found before. */
  readonly trace?: number;
  readonly without: readonly Rule[];
  readonly in: string;
  readonly breaks: Broken;
  readonly moves: number;
}

export const removals: readonly Removal[] = [
  { trace: 1, without: ['openChecksLive', 'cancelEndsEntry'], in: 'an id is added again', breaks: 'EARLY', moves: 5 },
  { trace: 1, without: ['openChecksLive'], in: 'a script is torn', breaks: 'EARLY', moves: 6 },
  { trace: 1, without: ['openChecksLive'], in: 'somebody else writes to the keys', breaks: 'EARLY', moves: 4 },
  { trace: 1, without: ['addClearsLive'], in: 'a script is torn', breaks: 'EARLY', moves: 6 },
  {
    trace: 2,
    without: ['settleChecksLive', 'cancelEndsEntry'],
    in: 'an id is added again',
    breaks: 'WRONG_LIFE',
    moves: 6,
  },
  { trace: 2, without: ['settleChecksLive'], in: 'a script is torn', breaks: 'WRONG_LIFE', moves: 6 },
  { trace: 3, without: ['openChecksOwner', 'openChecksCount'], in: 'an id is added again', breaks: 'TWICE', moves: 6 },
  { trace: 3, without: ['openChecksCount'], in: 'one consumer, two slots', breaks: 'TWICE', moves: 6 },
  { trace: 3, without: ['openChecksOwner'], in: 'a failover loses a suffix', breaks: 'TWICE', moves: 7 },
  { without: ['settleChecksCount'], in: 'one consumer, two slots', breaks: 'OTHER_DELIVERY', moves: 7 },
  { without: ['settleChecksOwner'], in: 'a failover loses a suffix', breaks: 'WRONG_LIFE', moves: 8 },
  { without: ['beatChecksOwner'], in: 'leases differ', breaks: 'TAKEN', moves: 7 },
  { without: ['handBackChecksDelivery'], in: 'an id is added again', breaks: 'TWICE', moves: 8 },
  { trace: 4, without: ['rescheduleEndsEntry'], in: 'the due time is moved', breaks: 'EARLY', moves: 4 },
  { without: ['rescheduleRefusesActive'], in: 'the due time is moved', breaks: 'TWICE', moves: 7 },
  { trace: 5, without: ['cancelEndsEntry'], in: 'an id is added again', breaks: 'READY', moves: 2 },
  { trace: 6, without: ['firstAnswerKept'], in: 'a lane is forgotten', breaks: 'ADDED_TWICE', moves: 5 },
  { trace: 6, without: ['lanesOutliveCalls'], in: 'a lane is forgotten', breaks: 'ADDED_TWICE', moves: 6 },
  { trace: 7, without: ['firstAnswerKept'], in: 'replies are lost, copies come late', breaks: 'WRONG_LIFE', moves: 3 },
  {
    trace: 7,
    without: ['lowerNumberRefused'],
    in: 'replies are lost, copies come late',
    breaks: 'WRONG_LIFE',
    moves: 3,
  },
  { trace: 8, without: ['firstAnswerKept'], in: 'replies are lost, copies come late', breaks: 'FALSE_LOST', moves: 5 },
  { without: ['addChecksRecord'], in: 'an id is added again', breaks: 'LOST', moves: 2 },
  { trace: 9, without: ['freshName'], in: 'a failover reissues an entry', breaks: 'WRONG_LIFE', moves: 8 },
  {
    without: ['groupNoticed'],
    in: 'the group is made anew while a consumer is busy',
    breaks: 'OTHER_DELIVERY',
    moves: 10,
  },
  { trace: 10, without: ['fenceEqual', 'fenceToken'], in: 'two bid for the lead', breaks: 'STALE_WRITE', moves: 6 },
  { trace: 10, without: ['fenceToken'], in: 'two bid for the lead', breaks: 'STALE_WRITE', moves: 10 },
  { without: ['leadCompares'], in: 'two bid for the lead', breaks: 'DISPLACED', moves: 7 },
  { trace: 12, without: ['numberedLetters'], in: 'tasks die', breaks: 'LETTER_LOST', moves: 8 },
  { trace: 12, without: ['replayInOneScript'], in: 'tasks die', breaks: 'LETTER_LOST', moves: 6 },
  { trace: 13, without: ['promoteDropsLive'], in: 'somebody else writes to the keys', breaks: 'TWICE', moves: 7 },
  { trace: 13, without: ['promoteDropsLive'], in: 'a script is torn on the way', breaks: 'TWICE', moves: 8 },
  { trace: 14, without: ['openPutsBack'], in: 'the queue is paused', breaks: 'STARTED_PAUSED', moves: 4 },
  { trace: 15, without: ['noExpiryAtWork'], in: 'tasks expire', breaks: 'ENDED_AT_WORK', moves: 6 },
  { without: ['openLooksAtExpiry'], in: 'tasks expire', breaks: 'STARTED_EXPIRED', moves: 4 },
  { without: ['recoverLooksAtExpiry'], in: 'tasks expire', breaks: 'STARTED_EXPIRED', moves: 5 },
  { trace: 16, without: ['ownersLease'], in: 'leases differ', breaks: 'TWICE', moves: 6 },
  { without: ['leaseRunsOut'], in: 'an id is added again', breaks: 'TWICE', moves: 4 },
  { trace: 17, without: ['hold'], in: 'Redis is frozen', breaks: 'TWICE', moves: 5 },
  { trace: 17, without: ['holdGoesOn'], in: 'Redis is frozen twice', breaks: 'TWICE', moves: 6 },
  { trace: 18, without: ['recordLast', 'sweep'], in: 'a script is torn', breaks: 'LOST', moves: 1 },
  { trace: 18, without: ['recordLast'], in: 'a script is torn', breaks: 'EARLY', moves: 5 },
  { without: ['recordFirst'], in: 'a script is torn', breaks: 'TWICE', moves: 9 },
  { without: ['xaddFirst', 'sweep'], in: 'a script is torn', breaks: 'LOST', moves: 3 },
  { without: ['sweep'], in: 'a script is torn in a paused queue', breaks: 'LOST', moves: 4 },
  { without: ['sweep'], in: 'somebody else writes to the keys', breaks: 'LOST', moves: 2 },
  { without: ['sweepLeavesPending'], in: 'somebody else writes to the keys', breaks: 'TWICE', moves: 7 },
  { trace: 19, without: ['promoteDropsBare'], in: 'an add of one of two is torn', breaks: 'LOST', moves: 2 },
  { trace: 20, without: ['heartbeatStops'], in: 'an end cannot be written', breaks: 'LOST', moves: 4 },
  { trace: 21, without: ['recordsStayWhole'], in: 'an id is added again', breaks: 'SPOILED', moves: 8 },
  {
    trace: 22,
    without: ['ownHistoryUnread', 'freshName'],
    in: 'the group is made anew',
    breaks: 'FALSE_LOST',
    moves: 5,
  },
];

/** All that `removal` has to say, one move on a line. */
export function sayRemoval({ trace, without, in: scenario, breaks }: Removal, found: readonly string[]): string {
  const number = trace === undefined ? '' : `${trace}: `;
  const rules = without.map((rule) => `  without “${sentences[rule]}”`);
  const moves = found.map((says, at) => `  ${String(at + 1).padStart(2)} ${says}`);
  return [
    `${number}${without.join(', ')} (${scenario})`,
    ...rules,
    ...moves,
    `  => ${breaks}: ${meanings[breaks]}`,
    '',
  ].join('\n');
}

/** Its line in the table of docs/model.md. */
export function rowOf({ trace, without, breaks, moves }: Removal): string {
  const rules = without.map((rule) => sentences[rule] + (notYet.includes(rule) ? ' (not yet)' : ''));
  return `| ${rules.join(' — and ')} | ${meanings[breaks]} | ${moves} | ${trace ?? ''} |`;
}
