import type { Cursor } from './cursor.js';
import { encodeCursor } from './cursor-text.js';
import { type Definition, occurrenceId } from './definition.js';
import { dueOf } from './due.js';
import { lookMs } from './look.js';
import type { Step } from './step.js';

/** A schedule as it was read. */
export interface Found {
  readonly name: string;
  readonly definition: Definition;
  /** The definition, as Redis has it. */
  readonly rule: string;
  readonly cursor: Cursor;
  /** The cursor, as Redis has it. */
  readonly text: string;
}

/** A step of a schedule, where it is taken from, and what the script is given of it. */
export interface Move {
  readonly from: Found;
  readonly step: Step;
  readonly item: MoveItem;
}

/** What the script is given of a move. */
export interface MoveItem {
  readonly schedule: string;
  readonly was: string;
  readonly cursor: string;
  readonly lookMs: string;
  readonly id: string;
  readonly unless: string;
  readonly dueMs: number;
  readonly expiresMs: string;
  readonly record: string;
  readonly passed: string;
}

/** Each step is taken from where the one before it has led. */
export function movesOf(found: Found, steps: readonly Step[], nowMs: number): Move[] {
  let from = found;
  return steps.map((step) => {
    const move = { from, step, item: itemOf({ from, step }, nowMs) };
    from = { ...from, cursor: step.cursor, text: encodeCursor(step.cursor) };
    return move;
  });
}

function itemOf({ from, step }: Pick<Move, 'from' | 'step'>, nowMs: number): MoveItem {
  const { name, definition, text } = from;
  const { cursor, fireMs, unlessMs, passed } = step;
  const againMs = lookMs({ definition, cursor }, nowMs);
  const moved = {
    ...passing(name, text),
    cursor: encodeCursor(cursor),
    lookMs: againMs === null ? '' : String(againMs),
    passed: passed === null ? '' : JSON.stringify(passed),
  };
  if (fireMs === null) return moved;
  const dueMs = dueOf(definition.timing, { schedule: name, nominalMs: fireMs });
  return {
    ...moved,
    id: occurrenceId(name, fireMs),
    unless: unlessMs === null ? '' : occurrenceId(name, unlessMs),
    dueMs,
    expiresMs: definition.expiresInMs === null ? '' : String(dueMs + definition.expiresInMs),
    record: definition.record,
  };
}

/** Leaves a schedule as it is, to be looked at again then. */
export function postponed({ name, text }: { name: string; text: string }, untilMs: number): MoveItem {
  return { ...passing(name, text), lookMs: String(untilMs) };
}

/** Of a schedule that is not there any more nothing is left. */
export function forgotten({ name, text }: { name: string; text: string }): MoveItem {
  return { ...passing(name, text), cursor: '' };
}

function passing(schedule: string, was: string): MoveItem {
  const nothing = { id: '', unless: '', dueMs: 0, expiresMs: '', record: '', passed: '' };
  return { schedule, was, cursor: was, lookMs: '', ...nothing };
}
