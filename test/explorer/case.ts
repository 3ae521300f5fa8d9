import type { Reply } from '../../src/redis/reply.js';
import type { ScriptDefinition } from '../../src/redis/script.js';
import { scripts } from '../../src/redis/scripts.generated.js';
import type { Ledger } from './ledger.js';

/** A rule that was broken: the first word says which, so that a shrunk trace is one of the same fault. */
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export function demand(holds: unknown, invariant: string, detail: () => string): asserts holds {
  if (!holds) throw new Violation(invariant, detail());
}

/** The call of a script that was run, in words. */
export interface ScriptRun {
  readonly definition: ScriptDefinition;
  readonly args: Readonly<Record<string, string>>;
  readonly items: readonly Readonly<Record<string, string>>[];
}

/** A delivery that a script made startable. */
export interface Handed {
  readonly serial: number;
  readonly n: number;
  readonly attempt: number;
  readonly count: number;
}

/** What a ruling has before it: the call and its answer, the ledger it moves on, and the times. */
export interface Case extends ScriptRun {
  readonly ledger: Ledger;
  readonly nowMs: number;
  readonly reply: Answer;
  readonly handed: Handed[];
  /** Notes that something interesting happened. */
  readonly met: (what: string) => void;
  readonly newSerial: () => number;
  /** It was handed back: whoever had it may not start it any more. */
  readonly returned: (serial: number) => void;
  /** How the handler of a handing-over ended, when it has. */
  readonly finished: (serial: number) => 'returned' | 'failed' | undefined;
  readonly everAccepted: Set<number>;
  /** Which life this stream id was issued for. */
  readonly seenEntry: (entry: string, n: number) => void;
  /** What is pending after a recovery that met stale entries. */
  readonly pendingNow: ReadonlySet<string>;
  /** A dead letter's record, as it was before the call. */
  readonly letter: string;
}

/** A decoded reply; the fields depend on its status. */
export type Answer = { readonly status: string } & Readonly<Record<string, unknown>>;

const bySha1 = new Map(scripts.map((definition) => [definition.sha1, definition]));
const bySource = new Map(scripts.map((definition) => [definition.source, definition]));

/** The script that a command runs, or undefined when it runs none of ours. */
export function scriptOf(args: readonly string[]): ScriptDefinition | undefined {
  return args[0] === 'EVALSHA' ? bySha1.get(args[1] ?? '') : bySource.get(args[1] ?? '');
}

/** The same command at a time that we say. */
export function atTime(definition: ScriptDefinition, args: readonly string[], nowMs: number): string[] {
  const first = 3 + definition.keys.length;
  const timed = [...args];
  const at = (name: string): number => definition.args.indexOf(name);
  if (at('nowMs') >= 0) timed[first + at('nowMs')] = String(nowMs);
  if (at('nowUs') >= 0) timed[first + at('nowUs')] = String(nowMs * 1000);
  return timed;
}

export function decodeRun(definition: ScriptDefinition, command: readonly string[]): ScriptRun {
  const values = command.slice(3 + definition.keys.length);
  const args = Object.fromEntries(definition.args.map((name, at) => [name, values[at] ?? '']));
  const items: Record<string, string>[] = [];
  for (let from = definition.args.length; from < values.length; from += Math.max(1, definition.items.length)) {
    items.push(Object.fromEntries(definition.items.map((name, at) => [name, values[from + at] ?? ''])));
  }
  return { definition, args, items };
}

export function decodeAnswer(definition: ScriptDefinition, reply: Reply): Answer {
  return definition.read(reply);
}

/** The life that a record belongs to. */
export function lifeOf(record: string): number {
  return Number(/",\[(\d+)/.exec(record)?.[1] ?? Number.NaN);
}

/** The groups of a reply. */
export function groups(answer: Answer, name: string): readonly Readonly<Record<string, string>>[] {
  return (answer[name] ?? []) as readonly Readonly<Record<string, string>>[];
}
