import { formatDuration } from '../duration.js';
import type { Definition } from '../schedule/definition.js';
import type { CatchUp, Overlap, Policy } from '../schedule/policy.js';
import type { Exclude, Timing } from '../schedule/rule.js';
import { decodeRecord } from '../task.js';
import { payloadChanges, payloadField } from './payload-changes.js';

/** What one option of a schedule was, and what it becomes. */
export interface FieldChange {
  /** Its name as it is written: `cron`, `catchUp`, `task.timeout`, `task.payload.to`. */
  readonly field: string;
  /** Left out where there was none, and of what is not shown. */
  readonly from?: string;
  /** Left out where there is none any more, and of what is not shown: both are, of two values that read the same. */
  readonly to?: string;
}

/** What tells two values apart, and how it is shown; null: not at all. */
interface Field {
  readonly value: string;
  readonly text: string | null;
}

type Fields = ReadonlyMap<string, Field>;

/** Of a list, so many are written out. */
const listedMax = 3;

/** What makes the one definition another than the other, but for the version; of payloads the parts in which they differ. */
export function fieldChanges(former: Definition, wanted: Definition): FieldChange[] {
  const [from, to] = [fieldsOf(former), fieldsOf(wanted)];
  const names = [...new Set([...from.keys(), ...to.keys()])];
  return names
    .filter((name) => from.get(name)?.value !== to.get(name)?.value)
    .flatMap((field) =>
      field === payloadField
        ? payloadChanges(payloadOf(former), payloadOf(wanted))
        : [{ field, ...shownChange(from.get(field), to.get(field)) }],
    );
}

function payloadOf({ record }: Definition): unknown {
  const decoded = decodeRecord(record);
  return decoded.kind === 'record' ? decoded.record.payload : null;
}

/** Two that read the same, as two long lists may, are not shown either. */
function shownChange(from: Field | undefined, to: Field | undefined): { from?: string; to?: string } {
  const [was, is] = [from?.text ?? null, to?.text ?? null];
  return was === is ? {} : { ...(was !== null && { from: was }), ...(is !== null && { to: is }) };
}

function fieldsOf(definition: Definition): Fields {
  const { timing, policy, expiresInMs } = definition;
  const all = [...ofTiming(timing), ...ofPolicy(policy), ...ofRecord(definition.record)];
  if (expiresInMs !== null) all.push(['task.expiresIn', shown(formatDuration(expiresInMs))]);
  return new Map(all);
}

type Entry = [name: string, field: Field];

function ofTiming({ rule, startMs, endMs, exclude, jitterMs }: Timing): Entry[] {
  const entries: Entry[] = [];
  switch (rule.kind) {
    case 'cron':
      for (const name of ['cron', 'tz', 'gap', 'fold'] as const) entries.push([name, shown(rule[name])]);
      break;
    case 'every':
      entries.push(['every', shown(formatDuration(rule.everyMs))]);
      if (rule.anchorMs !== 0) entries.push(['anchor', shown(iso(rule.anchorMs))]);
      break;
    case 'at':
      entries.push(['at', listed(rule.atMs.map(iso))]);
  }
  if (startMs !== null) entries.push(['start', shown(iso(startMs))]);
  if (endMs !== null) entries.push(['end', shown(iso(endMs))]);
  const excluded = exclusions(exclude);
  if (excluded.length > 0) entries.push(['exclude', listed(excluded)]);
  if (jitterMs > 0) entries.push(['jitter', shown(formatDuration(jitterMs))]);
  return entries;
}

function exclusions({ dates, timesMs, crons }: Exclude): string[] {
  return [...dates, ...timesMs.map(iso), ...crons];
}

function ofPolicy({ catchUp, windowMs, overlap, limit, pauseAfter }: Policy): Entry[] {
  const entries: Entry[] = [
    ['catchUp', shown(policyText(catchUp))],
    ['overlap', shown(policyText(overlap))],
  ];
  if (windowMs !== null) entries.push(['window', shown(formatDuration(windowMs))]);
  if (limit !== null) entries.push(['limit', shown(String(limit))]);
  if (pauseAfter !== null) entries.push(['pauseAfter', shown(String(pauseAfter))]);
  return entries;
}

function policyText(word: CatchUp | Overlap): string {
  if (typeof word === 'string') return word;
  return Object.entries(word)
    .map(([name, max]) => `${name}: ${max}`)
    .join(', ');
}

function ofRecord(text: string): Entry[] {
  const decoded = decodeRecord(text);
  if (decoded.kind !== 'record') return [['task', { value: text, text: null }]];
  const { name, payload, key, maxAttempts, backoff, timeoutMs } = decoded.record;
  const entries: Entry[] = [
    ['task.name', shown(name)],
    [payloadField, { value: JSON.stringify(payload), text: null }],
  ];
  if (key !== undefined) entries.push(['task.key', shown(key)]);
  if (maxAttempts !== undefined) entries.push(['task.maxAttempts', shown(String(maxAttempts))]);
  if (backoff !== undefined) {
    const { type, delayMs, maxMs } = backoff;
    entries.push(['task.backoff', shown(`${type} ${formatDuration(delayMs)}, up to ${formatDuration(maxMs)}`)]);
  }
  if (timeoutMs !== undefined) entries.push(['task.timeout', shown(formatDuration(timeoutMs))]);
  return entries;
}

function shown(text: string): Field {
  return { value: text, text };
}

function listed(items: readonly string[]): Field {
  const value = items.join(', ');
  if (items.length <= listedMax) return shown(value);
  return { value, text: `${items[0]} and ${items.length - 1} more, the last ${items.at(-1)}` };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
