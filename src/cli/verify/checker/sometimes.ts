import type { Evidence } from './evidence.js';
import { actorOf } from './faults.js';
import { firedAfterDeath, firingTerms, leaderDeaths } from './firings.js';
import type { Span } from './redis-clock.js';

/** What has to be met now and then, or the campaign proves nothing. */
export interface Sometimes {
  readonly name: string;
  readonly seen: number;
  /** How many chances there were, and from how many on it is demanded. */
  readonly chances: number;
  readonly enough: number;
  readonly held: boolean;
}

/** A leader that is frozen or cut off seldom has a write under way; one that is heard late has. */
const refusals = /^leader-freeze|^lock-nodes?-|^net-hole/;
/** What a leader sent is kept until another leads. */
const late = /^net-late-requests/;
const takeOvers = /^master-/;
const cuts = /^net-cut-replies|^redis-kill-in-reply/;
const silencing = /freeze|block/;
const handOvers = /^leader-/;

/** SOMETIMES: each is demanded only when faults that bring it about were made, and as often as it takes. */
export function sometimes(evidence: Evidence): Sometimes[] {
  const { faults, tasks, of, audit } = evidence;
  const handlers = handlersOf(evidence);
  const told = (what: 'recovered' | 'lease_lost'): number =>
    [...tasks.values()].reduce((sum, life) => sum + life.told.filter((one) => one.what === what).length, 0);
  const refused = Math.max(of('stale_write_refused').length, audit.flat().filter(({ op }) => op === 'refused').length);
  const cut = of('replies').reduce((sum, one) => sum + one.cut, 0);
  return [
    met('a task was started', { seen: of('start').length, chances: 1, enough: 1 }),
    met('a delivery was recovered', { seen: told('recovered'), chances: orphaned(evidence, handlers), enough: 1 }),
    met('a lease was lost', { seen: told('lease_lost'), chances: silenced(evidence, handlers), enough: 3 }),
    met('a write was refused', { seen: refused, chances: faults.count(refusals), enough: 30 }),
    met('a write that came late was refused', { seen: refused, chances: faults.count(late), enough: 3 }),
    met('a replica took over', { seen: of('failover').length, chances: faults.count(takeOvers), enough: 1 }),
    met('a reply was cut', { seen: cut, chances: faults.count(cuts), enough: 3 }),
    ...(evidence.schedules.size === 0 ? [] : handedOver(evidence)),
  ];
}

/** Of schedules there is nothing to show unless they are handed over, and a leader dies when something is up. */
function handedOver(evidence: Evidence): Sometimes[] {
  const others = Math.max(0, firingTerms(evidence) - 1);
  const deaths = leaderDeaths(evidence).length;
  return [
    met('another leader fired occurrences', {
      seen: others,
      chances: evidence.faults.count(handOvers),
      enough: 5,
    }),
    met("an occurrence came late, after a leader's death", {
      seen: firedAfterDeath(evidence),
      chances: deaths,
      enough: 5,
    }),
  ];
}

function met(name: string, { seen, chances, enough }: { seen: number; chances: number; enough: number }): Sometimes {
  return { name, seen, chances, enough, held: seen > 0 || chances < enough };
}

/** Handlers that were at work when their process was killed. */
function orphaned({ of, loadEndMs }: Evidence, handlers: readonly Handler[]): number {
  const killed = new Set<string>();
  for (const { name, phase, signal, at } of of('process')) {
    if (at <= loadEndMs && (phase === 'killed' || signal === 'SIGKILL')) killed.add(name);
  }
  return handlers.filter(({ by, toMs }) => toMs === Infinity && killed.has(by)).length;
}

/** Workers that were silent for longer than a lease while a handler was at work. */
function silenced({ faults, plan }: Evidence, handlers: readonly Handler[]): number {
  const silences = faults.windows.filter(({ fault, fromMs, toMs }) => {
    return silencing.test(fault) && toMs - fromMs > plan.leaseMs;
  });
  const long = handlers.filter(({ fromMs, toMs }) => toMs - fromMs > plan.leaseMs);
  return silences.filter((silence) =>
    long.some(
      ({ by, fromMs, toMs }) => actorOf(by) === silence.target && fromMs <= silence.fromMs && toMs >= silence.toMs,
    ),
  ).length;
}

/** A handler at work: from start to return, or for ever. */
interface Handler extends Span {
  readonly by: string;
}

function handlersOf({ processes }: Evidence): Handler[] {
  const handlers: Handler[] = [];
  for (const [by, records] of processes) {
    const spans = new Map<string, Handler>();
    for (const record of records) {
      if (record.what !== 'start' && record.what !== 'return') continue;
      const { id, attempt, delivery, at } = record;
      const key = `${id} ${attempt} ${delivery}`;
      if (record.what === 'start') spans.set(key, { by, fromMs: at, toMs: Infinity });
      else spans.set(key, { by, fromMs: spans.get(key)?.fromMs ?? at, toMs: at });
    }
    for (const handler of spans.values()) handlers.push(handler);
  }
  return handlers;
}
