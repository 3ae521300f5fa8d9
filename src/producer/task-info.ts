import type { GetReply } from '../redis/scripts.generated.js';
import { decodeRecord, decodeRun, type TaskInfo, type TaskRecord, type TaskState } from '../task.js';

const unreadable: TaskRecord = { name: '', payload: null, createdAtMs: null };

/** Of a record nobody here can read, what can be told of it. */
function readRecord(text: string): TaskRecord {
  const decoded = decodeRecord(text);
  return decoded.kind === 'record' ? decoded.record : unreadable;
}

export function toTaskInfo(id: string, reply: Exclude<GetReply, { status: 'other_layout' }>): TaskInfo | null {
  if (reply.status === 'not_found') return null;
  return reply.status === 'ok' ? living(id, reply) : settled(id, reply);
}

function living(id: string, reply: Extract<GetReply, { status: 'ok' }>): TaskInfo {
  const record = readRecord(reply.record);
  const run = decodeRun(reply.run);
  return {
    id,
    ...(record.key !== undefined && { key: record.key }),
    name: record.name,
    payload: record.payload,
    state: reply.state === 'lost' ? 'scheduled' : (reply.state as TaskState), // lost: the sweep is about to put it back
    due: reply.dueMs,
    attempt: run.attempt,
    deliveries: run.lost + reply.deliveries,
    createdAt: record.createdAtMs,
    expiresAt: reply.expiresMs,
    lastError: run.errors.at(-1) ?? null,
  };
}

function settled(id: string, reply: Extract<GetReply, { status: 'settled' }>): TaskInfo {
  return fromFields(id, reply.state as TaskState, fieldsOf(reply.fields));
}

/** An entry of `dead` or `ended`, as a task that is no more. */
export function fromFields(id: string, state: TaskState, fields: Readonly<Record<string, string>>): TaskInfo {
  const record =
    fields['record'] === undefined ? { ...unreadable, name: fields['name'] ?? '' } : readRecord(fields['record']);
  const run = decodeRun(fields['run'] ?? null);
  return {
    id,
    ...(record.key !== undefined && { key: record.key }),
    name: record.name,
    payload: record.payload,
    state,
    due: null,
    attempt: Math.max(1, run.errors.at(-1)?.attempt ?? run.attempt),
    deliveries: 0,
    createdAt: record.createdAtMs,
    expiresAt: null,
    lastError: run.errors.at(-1) ?? null,
    reason: fields['reason'] ?? state,
    endedAt: Number(fields['at']),
  };
}

/** The flat list of a stream entry's fields. */
export function fieldsOf(flat: readonly unknown[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) fields[String(flat[at])] = String(flat[at + 1]);
  return fields;
}
