/** How a process follows a growth: it learns from partitions that are ahead, and brings up those that are behind. */
import { isAfter, isNewIn, shape } from './layouts.js';
import { grow, type Reply, type Run } from './scripts.js';
import type { Sent } from './state.js';

/** Who believes a layout. */
export interface Follower {
  belief: string;
}

export function growing(at: number, layout: string, { from, waits }: Pick<Sent, 'from' | 'waits'>): Sent {
  return { verb: 'grow', at, layout, by: 0, number: 0, op: -1, id: -1, isLater: false, letter: 0, from, waits };
}

/** What its process makes of another layout than the newest it knows. */
export function learn(run: Run, who: Follower, layout: string): void {
  if (layout === '' || layout === who.belief) return;
  if (isAfter(layout, who.belief) || !run.rules.isAfterOnly) who.belief = layout;
}

/** As in src/redis/layout.ts. False: it can't follow. */
export function meet(run: Run, who: Follower, { at, found }: { at: number; found: string }): boolean {
  const { belief } = who;
  if (found === belief) return true;
  if (found !== '' && (isAfter(found, belief) || !run.rules.isAfterOnly)) {
    learn(run, who, found);
    return true;
  }
  const { layout: root } = run.root;
  if (root !== '' && isAfter(root, belief)) {
    learn(run, who, root);
    return true;
  }
  if (!isOurs(run, belief, root)) return false;
  if (root !== belief && !bring(run, who, { at: 0, taken: root })) return false;
  if (found !== '' && !isAfter(belief, found)) return false;
  return at === 0 || bring(run, who, { at, taken: found });
}

function isOurs(run: Run, belief: string, root: string): boolean {
  const { partitions, former } = shape(belief);
  if (root === belief) return true;
  const isEndLost = root !== '' && shape(root).partitions === partitions && isAfter(belief, root);
  if (isEndLost && run.rules.endIsOurs) return true;
  return former.length > 0 && (root === '' || former.includes(shape(root).partitions));
}

/** The call that would bring it up, by what the first partition says just now. */
export function bringing(run: Run, { belief }: Follower, { at, from }: { at: number; from: string }): Sent {
  return growing(at, belief, { from, waits: from === '' && isNewIn(belief, at) ? run.root.isPaused : null });
}

export function bring(run: Run, who: Follower, { at, taken }: { at: number; taken: string }): boolean {
  let from = taken;
  if (run.rules.oldFirst && !bringOld(run, who, { at, from })) return false;
  for (let tries = 0; tries < 3; tries += 1) {
    const reply = grow(run, bringing(run, who, { at, from }));
    if (typeof reply === 'string') return true;
    if (isAfter(reply.layout, who.belief)) {
      learn(run, who, reply.layout);
      return true;
    }
    if (reply.layout !== '' && !isAfter(who.belief, reply.layout)) return false;
    from = reply.layout;
  }
  return false;
}

/** Those that a new partition was split from. */
export function bringOld(run: Run, who: Follower, { at, from }: { at: number; from: string }): boolean {
  if (from !== '' || !isNewIn(who.belief, at)) return true;
  const { former } = shape(who.belief);
  const old = new Set(former.map((count) => at % count).filter((one) => one !== at && run.state.partitions[one]));
  return [...old].every((one) => bring(run, who, { at: one, taken: run.at(one).layout }));
}

/** A script that is repeated in whatever layout there is: until it is done, or its process can't follow. */
export function inAny(run: Run, who: Follower, at: number, script: (layout: string) => Reply): string | undefined {
  for (let meetings = 0; meetings < 5; meetings += 1) {
    const reply = script(who.belief);
    if (typeof reply === 'string') return reply;
    if (!meet(run, who, { at, found: reply.layout })) return undefined;
  }
  return undefined;
}
