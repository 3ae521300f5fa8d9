import { keyIn } from '../task.js';
import type { Policy } from './policy.js';
import type { Timing } from './rule.js';

/** A schedule as it is kept in Redis: what is to be done and when, checked. How far it has come is its cursor. */
export interface Definition {
  /** Raised with each change, so that a process that still has the former one writes nothing over it. */
  readonly version: number;
  readonly timing: Timing;
  readonly policy: Policy;
  /** The record of each occurrence's task, without its time of creation. */
  readonly record: string;
  /** How long after it is due an occurrence may still start; null: for ever. */
  readonly expiresInMs: number | null;
}

/** Of the text. A reader of an older format leaves a newer one alone. */
const format = 1;

/** Equal definitions are equal texts. */
export function encodeDefinition({ version, timing, policy, record, expiresInMs }: Definition): string {
  return JSON.stringify({ f: format, v: version, t: timing, p: policy, r: record, e: expiresInMs });
}

/** Undefined: it is of a newer format, or none at all. Never throws. */
export function decodeDefinition(text: string): Definition | undefined {
  try {
    const { f, v, t, p, r, e } = JSON.parse(text) as Record<string, unknown>;
    if (f !== format || typeof v !== 'number' || typeof r !== 'string' || !isObject(t) || !isObject(p))
      return undefined;
    return { version: v, timing: t as Timing, policy: p as Policy, record: r, expiresInMs: e as number | null };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What says in which partition a schedule and its occurrences lie. */
export function placeOf(name: string, { record }: Definition): string {
  return keyIn(record) ?? name;
}

/** The id of one that somebody asked for: another than that of any nominal time. */
export function triggeredId(schedule: string, nowMs: number, token: string): string {
  return `${occurrenceId(schedule, nowMs)}!${token}`;
}

/** The id of an occurrence's task: there is one for each nominal time. */
export function occurrenceId(schedule: string, nominalMs: number): string {
  return `${schedule}@${new Date(nominalMs).toISOString()}`;
}
