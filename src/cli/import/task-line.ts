import type { NewTask } from '../../index.js';
import { usage } from '../failure.js';
import { parsedJson } from '../payload-text.js';

const fields = new Set([
  'name',
  'payload',
  'id',
  'key',
  'in',
  'at',
  'atMs',
  'maxAttempts',
  'timeout',
  'backoff',
  'expiresIn',
  'expiresAt',
]);

/** The task a line describes. Its values are left to the library to check; here only what it can't know. */
export function taskOf(text: string): NewTask {
  const value = parsedJson(text, 'it');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usage('it is not an object such as {"name":"welcome","payload":{}}');
  }
  const unknown = Object.keys(value).find((key) => !fields.has(key));
  if (unknown !== undefined) {
    throw usage(`unknown field ${JSON.stringify(unknown.slice(0, 40))}: expected ${[...fields].join(', ')}`);
  }
  const { atMs, ...task } = value as NewTask & { atMs?: unknown };
  if (task.name === undefined) throw usage('it has no "name"');
  const given = ['in', 'at', 'atMs'].filter((key) => key in value);
  if (given.length > 1) throw usage(`give only one of ${given.join(' and ')}`);
  if (atMs === undefined) return task;
  if (typeof atMs !== 'number') throw usage(`atMs must be a number of ms since 1970, got ${typeof atMs}`);
  return { ...task, at: atMs };
}
