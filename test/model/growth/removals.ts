/**
 * What each rule of growing is for: the scenario in which it is missed, what then breaks, and the length of the shortest
 * way there. Of two rules in one row the first is doubled by the second: without it alone nothing breaks so.
 */
import { notYet, type Rule, sentences } from './rules.js';
import { type Broken, meanings } from './state.js';

export interface Removal {
  readonly without: readonly Rule[];
  readonly in: string;
  readonly breaks: Broken;
  readonly moves: number;
}

export const removals: readonly Removal[] = [
  { without: ['otherRefused'], in: 'calls are repeated, copies come late', breaks: 'TWO_PLACES', moves: 6 },
  { without: ['laneFirst'], in: 'calls are repeated, copies come late', breaks: 'FALSE_DUPLICATE', moves: 6 },
  { without: ['laneFirst'], in: 'an id is added while it runs', breaks: 'ADDED_TWICE', moves: 10 },
  { without: ['addBound'], in: 'calls are repeated, copies come late', breaks: 'TWO_PLACES', moves: 8 },
  { without: ['sameCallAgain'], in: 'calls are repeated, copies come late', breaks: 'FALSE_DUPLICATE', moves: 8 },
  { without: ['sameCallAgain'], in: 'a dead letter that stays is replayed', breaks: 'FALSE_NOT_FOUND', moves: 6 },
  { without: ['looks'], in: 'the past is forgotten', breaks: 'TWO_PLACES', moves: 6 },
  { without: ['lookIsStrict'], in: 'calls are repeated, copies come late', breaks: 'TWO_PLACES', moves: 7 },
  { without: ['bareRefused'], in: 'it is resumed', breaks: 'ORDER', moves: 5 },
  { without: ['bareAsks'], in: 'an old partition loses all it has', breaks: 'TWO_PLACES', moves: 9 },
  { without: ['cancelIsStrict'], in: 'who knows less cancels what is new', breaks: 'MISSED', moves: 7 },
  { without: ['asksFormer'], in: 'two add an id and cancel it', breaks: 'MISSED', moves: 9 },
  { without: ['asksFirst'], in: 'who knows less cancels what is new', breaks: 'MISSED', moves: 6 },
  { without: ['asksAgain'], in: 'who knows less cancels what is new', breaks: 'MISSED', moves: 8 },
  { without: ['replayMoves'], in: 'a dead letter is replayed', breaks: 'TWO_PLACES', moves: 8 },
  { without: ['replayBound'], in: 'a dead letter is replayed', breaks: 'TWO_PLACES', moves: 9 },
  { without: ['replayLaneFirst'], in: 'a dead letter is replayed', breaks: 'FALSE_NOT_FOUND', moves: 7 },
  { without: ['moveAddsFirst'], in: 'a dead letter is replayed', breaks: 'LETTER_LOST', moves: 4 },
  { without: ['rootFirst'], in: 'two grow it at once', breaks: 'STUCK', moves: 4 },
  {
    without: ['oldFirst'],
    in: 'the first partition fails over, and what is new lies elsewhere',
    breaks: 'STUCK',
    moves: 7,
  },
  { without: ['isAfterOnly'], in: 'two add an id and cancel it', breaks: 'STUCK', moves: 2 },
  { without: ['endIsOurs'], in: 'the first partition fails over', breaks: 'STUCK', moves: 10 },
  { without: ['fromCompared'], in: 'it grows twice', breaks: 'STUCK', moves: 5 },
  { without: ['newWaits'], in: 'it is resumed', breaks: 'ORDER', moves: 6 },
  { without: ['waitsAsQueue'], in: 'it is paused and resumed', breaks: 'STARTED_PAUSED', moves: 10 },
  { without: ['pauseSaysWaits'], in: 'it is resumed', breaks: 'ORDER', moves: 7 },
  { without: ['pauseIsStrict'], in: 'it is paused and resumed', breaks: 'STARTED_PAUSED', moves: 10 },
  { without: ['pauseAgain'], in: 'it is paused and resumed', breaks: 'STARTED_PAUSED', moves: 10 },
  { without: ['releaseAfter'], in: 'what was due before goes first', breaks: 'ORDER', moves: 9 },
  { without: ['askIsStrict'], in: 'what was due before goes first', breaks: 'ORDER', moves: 10 },
  { without: ['dueCounts'], in: 'it is resumed', breaks: 'ORDER', moves: 10 },
  { without: ['streamCounts'], in: 'what was due before goes first', breaks: 'ORDER', moves: 10 },
  { without: ['splitAnew'], in: 'it grows again while there is a backlog', breaks: 'ORDER', moves: 12 },
  { without: ['releasedAgain'], in: 'a new partition loses all it has', breaks: 'STUCK', moves: 6 },
  { without: ['releaseIsStrict', 'releasedAgain'], in: 'the past is forgotten', breaks: 'STUCK', moves: 5 },
  { without: ['endReleases'], in: 'a new partition loses all it has', breaks: 'STUCK', moves: 14 },
  { without: ['walkStays'], in: 'the past is forgotten', breaks: 'OUT_OF_SIGHT', moves: 10 },
  { without: ['walkAnew'], in: 'an id is added while it grows twice', breaks: 'OUT_OF_SIGHT', moves: 10 },
  { without: ['walkIsStrict', 'releaseAfter'], in: 'the past is forgotten', breaks: 'OUT_OF_SIGHT', moves: 11 },
];

/** All that `removal` has to say, one move on a line. */
export function sayRemoval({ without, in: scenario, breaks }: Removal, found: readonly string[]): string {
  const rules = without.map((rule) => `  without “${sentences[rule]}”`);
  const moves = found.map((says, at) => `  ${String(at + 1).padStart(2)} ${says}`);
  return [`${without.join(', ')} (${scenario})`, ...rules, ...moves, `  => ${breaks}: ${meanings[breaks]}`, ''].join(
    '\n',
  );
}

/** Its line in the table of docs/model.md. */
export function rowOf({ without, breaks, moves }: Removal): string {
  const rules = without.map((rule) => sentences[rule] + (notYet.includes(rule) ? ' (not yet)' : ''));
  return `| ${rules.join(' — and ')} | ${meanings[breaks]} | ${moves} |`;
}
