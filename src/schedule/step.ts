import type { Cursor, Passed } from './cursor.js';
import type { Definition } from './definition.js';

/** A schedule and how far it has come. */
export interface Standing {
  readonly definition: Definition;
  readonly cursor: Cursor;
}

/** One move of a schedule: an occurrence to fire, or nominal times that are passed over, or neither. */
export interface Step {
  /** After it. */
  readonly cursor: Cursor;
  readonly fireMs: number | null;
  /** It must not be done while the occurrence of that nominal time is not settled. */
  readonly unlessMs: number | null;
  readonly passed: Passed | null;
}

/** One that neither fires nor passes over anything. */
export function stay(cursor: Cursor): Step {
  return { cursor, fireMs: null, unlessMs: null, passed: null };
}

/**
 * So long before its time an occurrence is handed over, to wait in the queue like any task that is due later: so it starts
 * on the millisecond, also where thousands have the same time.
 */
export const aheadMs = 500;
