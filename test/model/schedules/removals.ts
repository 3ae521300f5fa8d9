import { type Rule, sentences } from './rules.js';
import { type Broken, meanings } from './state.js';

/** A rule that is taken away, what breaks then, and in how many moves at least. */
export interface Removal {
  readonly without: Rule;
  readonly in: string;
  readonly breaks: Broken;
  readonly moves: number;
}

export const removals: readonly Removal[] = [
  { without: 'tickCompares', in: 'two lead', breaks: 'DOUBLE', moves: 6 },
  { without: 'tickInOne', in: 'two lead', breaks: 'MISSED', moves: 1 },
  { without: 'moveMarks', in: 'the queue grows', breaks: 'TWO', moves: 7 },
  { without: 'moveKeepsMark', in: 'the queue grows', breaks: 'DOUBLE', moves: 11 },
  { without: 'markSaysWhere', in: 'the queue grows twice', breaks: 'DOUBLE', moves: 13 },
  { without: 'moveOnce', in: 'the queue grows, it is taken away, copies come late', breaks: 'BACK', moves: 11 },
  {
    without: 'moveFenced',
    in: 'the queue grows, it is taken away, and a leader sleeps for an hour',
    breaks: 'BACK',
    moves: 13,
  },
  { without: 'usersWait', in: 'the queue grows, and it is taken away', breaks: 'BACK', moves: 9 },
];

export function rowOf({ without, breaks, moves }: Removal): string {
  return `| ${sentences[without]} | ${meanings[breaks]} | ${moves} |`;
}
