import type { Evidence } from './evidence.js';
import { actorOf, type FaultWindow } from './faults.js';

/** What has to be met now and then, or the campaign proves nothing. */
export interface Sometimes {
  readonly name: string;
  readonly seen: number;
  /** How many chances there were, and from how many on it is demanded. */
  readonly chances: number;
  readonly enough: number;
  readonly held: boolean;
}

/** A leader that is frozen or cut off seldom has a write under way; one that lost a vote to another has. */
const refusals = /^leader-freeze|^lock-nodes?-|^net-hole/;
const cuts = /^net-cut-replies|^redis-kill-in-reply/;
const deadly = /kill/;
const silencing = /freeze|block/;

/** SOMETIMES: each is demanded only when faults that bring it about were made, and as often as it takes. */
export function sometimes(evidence: Evidence): Sometimes[] {
  const { faults, tasks, of, audit } = evidence;
  const told = (what: 'recovered' | 'lease_lost'): number =>
    [...tasks.values()].reduce((sum, life) => sum + life.told.filter((one) => one.what === what).length, 0);
  const refused = Math.max(of('stale_write_refused').length, audit.filter(({ op }) => op === 'refused').length);
  const cut = of('replies').reduce((sum, one) => sum + one.cut, 0);
  return [
    met('a task was started', { seen: of('start').length, chances: 1, enough: 1 }),
    met('a delivery was recovered', { seen: told('recovered'), chances: orphaned(evidence), enough: 1 }),
    met('a lease was lost', { seen: told('lease_lost'), chances: silenced(evidence), enough: 3 }),
    met('a write was refused', { seen: refused, chances: faults.count(refusals), enough: 30 }),
    met('a reply was cut', { seen: cut, chances: faults.count(cuts), enough: 1 }),
  ];
}

function met(name: string, { seen, chances, enough }: { seen: number; chances: number; enough: number }): Sometimes {
  return { name, seen, chances, enough, held: seen > 0 || chances < enough };
}

/** Workers that were killed with a handler at work. */
function orphaned(evidence: Evidence): number {
  return evidence.faults.windows.filter(
    (window) => deadly.test(window.fault) && spansIn(evidence, window).some(({ toMs }) => toMs === undefined),
  ).length;
}

/** Workers that were silent for longer than a lease while a handler was at work. */
function silenced(evidence: Evidence): number {
  return evidence.faults.windows.filter(
    (window) =>
      silencing.test(window.fault) &&
      window.toMs - window.fromMs > evidence.plan.leaseMs &&
      spansIn(evidence, window).some(({ fromMs, toMs = Infinity }) => fromMs <= window.fromMs && toMs >= window.toMs),
  ).length;
}

/** The handlers of a fault's target that were at work when it began, or started before it ended: from start to return. */
function spansIn({ processes }: Evidence, { target, fromMs, toMs }: FaultWindow): { fromMs: number; toMs?: number }[] {
  const spans: { fromMs: number; toMs?: number }[] = [];
  for (const [by, records] of processes) {
    if (actorOf(by) !== target) continue;
    const open = new Map<string, { fromMs: number; toMs?: number }>();
    for (const record of records) {
      if (record.at > toMs && record.what === 'start') break;
      if (record.what !== 'start' && record.what !== 'return') continue;
      const delivery = `${record.id} ${record.attempt} ${record.delivery}`;
      const span = open.get(delivery);
      if (record.what === 'start') open.set(delivery, { fromMs: record.at });
      else if (span !== undefined) span.toMs = record.at;
    }
    spans.push(...[...open.values()].filter((span) => span.toMs === undefined || span.toMs >= fromMs));
  }
  return spans;
}
