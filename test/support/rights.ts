/** The Redis users that docs/operations.md tells to make, and what a server saw of them. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Link } from '../../src/redis/link.js';

const root = dirname(dirname(import.meta.dirname));

/** The words of the command that makes this user, as redis-cli would send them. */
export function ruleOf(user: string): string[] {
  const page = readFileSync(join(root, 'docs/operations.md'), 'utf8').replaceAll('\\\n', ' ');
  const [, rule] = new RegExp(`^\\s*redis-cli (ACL SETUSER ${user} .*)$`, 'm').exec(page) ?? [];
  if (rule === undefined) throw new Error(`docs/operations.md makes no user ${user}`);
  return rule.split(/\s+/).map((word) => word.replaceAll("'", ''));
}

/** The commands that a rule allows. */
export function allowedBy(rule: readonly string[]): string[] {
  return rule.filter((word) => word.startsWith('+')).map((word) => word.slice(1));
}

/** The commands that ran since the last CONFIG RESETSTAT, the operator's own left out. */
export async function commandsSeen(operator: Link): Promise<string[]> {
  const lines = String(await operator.send(['INFO', 'commandstats'])).split('\r\n');
  const seen = lines.flatMap((line) => {
    const [, name = '', calls] = /^cmdstat_([^:]+):calls=(\d+)/.exec(line) ?? [];
    return Number(calls) > 0 ? [name] : [];
  });
  return seen.filter((name) => !/^(?:acl\||config\||auth$)/.test(name)).toSorted();
}

/** What the server refused, each once. */
export async function refusals(operator: Link): Promise<string[]> {
  const entries = (await operator.send(['ACL', 'LOG', '128'])) as (string | number)[][];
  return [...new Set(entries.map((entry) => `${field(entry, 'reason')} ${field(entry, 'object')}`))].toSorted();
}

function field(entry: readonly (string | number)[], name: string): string {
  return String(entry[entry.indexOf(name) + 1]);
}
