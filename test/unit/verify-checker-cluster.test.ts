/** Of a cluster: what the death of one master excuses, and what it does not. */
import { expect, test } from 'vitest';
import { membersIn, isWhole, masterOf, viewOf } from '../../src/cli/verify/cluster/members.js';
import { variantOf } from '../../src/cli/verify/plan.js';
import { partitionOf } from '../../src/partition-of.js';
import { brokenIn, CampaignHistory } from '../support/campaign-history.js';

const [old, heir] = ['127.0.0.1:1', '127.0.0.1:2'];
const partitions = 12;
/** Those of the master that dies. */
const hit = [0, 3, 6, 9];

/** The first id of that name that belongs to one of the partitions that were hit, or to none of them. */
function idIn(name: string, isHit: boolean): string {
  for (let number = 0; ; number += 1) {
    const id = `${name}-${number}`;
    if (hit.includes(partitionOf(id, partitions)) === isHit) return id;
  }
}

interface Master {
  readonly how?: 'killed' | 'frozen';
  readonly durability?: 'memory' | 'replicated';
}

/** Gone at 10 s, replaced at 13 s, back at 14 s, a replica at 15 s, in sync at 16 s. */
function masterGone({ how = 'killed', durability = 'memory' }: Master = {}): CampaignHistory {
  const history = new CampaignHistory();
  const plan = { seed: 1, seconds: 40, leaseMs: 1_000, lockTtlMs: 500, ownRedis: true, form: 'quick' } as const;
  history.note(-1, 'nemesis', { what: 'plan', ...plan, cluster: true, partitions, durability });
  history.fault(how === 'killed' ? 'master-kill' : 'master-freeze', 10_000, 16_000, {
    costs: ['writes', 'votes'],
    partitions: hit,
  });
  history.note(10_001, 'nemesis', { what: 'server', address: old, phase: how });
  history.note(13_000, 'nemesis', { what: 'failover', from: old, to: heir, tookMs: 3_000, partitions: hit });
  history.note(14_000, 'nemesis', { what: 'server', address: old, phase: how === 'killed' ? 'started' : 'thawed' });
  history.note(15_000, 'nemesis', { what: 'server', address: old, phase: 'demoted' });
  return history.task('goes-on', 25_000);
}

const mine = idIn('mine', true);
const other = idIn('other', false);

test('what a master that was killed had acknowledged may be lost, of its partitions, and is counted', () => {
  const verdict = masterGone().add(mine, 9_900).judge();
  expect(brokenIn(verdict)).toEqual([]);
  expect(verdict.figures).toMatchObject({ lostWrites: 1, killedMasters: 1, killedLostAdds: 1, failover1LostAdds: 1 });
});

test('what was lost of a partition that another master has breaks NO_LOSS', () => {
  const verdict = masterGone().add(other, 9_900).judge();
  expect(brokenIn(verdict)).toEqual(['NO_LOSS', 'FAILOVER']);
  expect(verdict.figures).toMatchObject({ lostWrites: 0, failover1LostAdds: 0 });
});

test('a key says which partition it was', () => {
  expect(masterGone().add(other, 9_900, { key: mine }).broken()).toEqual([]);
  expect(masterGone().add(mine, 9_900, { key: other }).broken()).toContain('NO_LOSS');
});

test('a killed master acknowledges nothing: what was asked for after its death and is lost breaks FAILOVER', () => {
  expect(masterGone().add(mine, 10_500).broken()).toEqual(['FAILOVER']);
  expect(masterGone().add(mine, 14_500).broken()).toEqual(['FAILOVER']);
});

test('a frozen master acknowledges until it is a replica, and nothing after that', () => {
  const verdict = masterGone({ how: 'frozen' }).add(mine, 14_500).judge();
  expect(brokenIn(verdict)).toEqual([]);
  expect(verdict.figures).toMatchObject({ frozenMasters: 1, frozenLostAdds: 1, failover1LostMsAfterBack: 501 });
  expect(masterGone({ how: 'frozen' }).add(mine, 15_500).broken()).toEqual(['FAILOVER']);
});

test('what two failovers may have lost counts for the one in which it was answered', () => {
  const history = masterGone({ how: 'frozen' });
  history.fault('master-kill', 15_100, 19_000, { costs: ['writes'], partitions: hit });
  history.note(15_101, 'nemesis', { what: 'server', address: heir, phase: 'killed' });
  history.note(18_000, 'nemesis', { what: 'failover', from: heir, to: old, tookMs: 2_900, partitions: hit });
  history.note(18_500, 'nemesis', { what: 'server', address: heir, phase: 'demoted' });
  const { figures } = history.add(mine, 14_500).judge();
  expect(figures).toMatchObject({ frozenLostAdds: 1, killedLostAdds: 0 });
});

test('a batch is heard of when all of it was answered: what was lost of it counts from when it was asked for', () => {
  const batch = (askedMs: number): string[] => {
    const history = masterGone({ how: 'frozen' });
    history.note(askedMs, 'producer-1.1', { what: 'add', id: mine, fate: 'work' });
    return history.note(19_500, 'producer-1.1', { what: 'added', id: mine, status: 'ready' }).broken();
  };
  expect(batch(14_500)).toEqual([]);
  expect(batch(18_500)).toEqual(['NO_LOSS', 'FAILOVER']);
});

test('what a replica has confirmed is lost by nobody', () => {
  for (const how of ['killed', 'frozen'] as const) {
    expect(masterGone({ how, durability: 'replicated' }).add(mine, 9_900).broken()).toEqual(['FAILOVER']);
    expect(masterGone({ how, durability: 'replicated' }).broken()).toEqual([]);
  }
});

/** Its first end was lost. */
function startedTwice(id: string, partition: number): CampaignHistory {
  const history = masterGone().withoutHandlers().add(id, 9_800).start(id, 9_850).returned(id, 9_860);
  history.start(id, 13_500, { delivery: 2 }).returned(id, 13_550, { delivery: 2 });
  return history.end(id, 13_600, { partition, count: 2 }).told(id, 13_601);
}

test('a second start is explained by the death of the master of its partition, and of no other', () => {
  expect(startedTwice(mine, partitionOf(mine, partitions)).broken()).toEqual([]);
  expect(startedTwice(other, partitionOf(other, partitions)).broken()).toEqual(['DUP_EXPLAINED']);
});

test('where Redis noted a task, there it was, whatever its key says', () => {
  expect(startedTwice(mine, 1).broken()).toEqual(['DUP_EXPLAINED']);
});

test('two leaders at a time are excused when the home of the lock was hit', () => {
  const both = (history: CampaignHistory): CampaignHistory =>
    history.reign(7, 9_000, { toMs: 11_000 }).reign(8, 10_500, { by: 'leader-2.1', toMs: 12_000 });
  expect(both(masterGone()).broken()).not.toContain('TRUST_DISJOINT');
  const elsewhere = new CampaignHistory().fault('master-kill', 10_000, 16_000, {
    costs: ['writes'],
    partitions: [1, 2],
  });
  expect(both(elsewhere).broken()).toContain('TRUST_DISJOINT');
});

test('a campaign in which no replica took over proves nothing of masters that die', () => {
  const history = new CampaignHistory().fault('master-kill', 10_000, 16_000, { costs: ['writes'], partitions: hit });
  const { held, sometimes } = history.judge();
  expect(held).toBe(false);
  expect(sometimes).toContainEqual(expect.objectContaining({ name: 'a replica took over', held: false }));
});

test('after a growth a task may be where its key leads in either layout', () => {
  const id = idIn('grown', true);
  const grown = partitionOf(id, 2 * partitions);
  const lost = (history: CampaignHistory): string[] => history.add(id, 9_900).broken();
  const onlyNew = (growths: number): CampaignHistory => {
    const history = new CampaignHistory();
    const plan = { seed: 1, seconds: 40, leaseMs: 1_000, lockTtlMs: 500, ownRedis: true, form: 'quick' } as const;
    history.note(-1, 'nemesis', { what: 'plan', ...plan, partitions });
    for (let times = 0; times < growths; times += 1) history.fault('queue-grown', 5_000, 5_100, { target: 'operator' });
    return history.fault('master-kill', 10_000, 16_000, { costs: ['writes'], partitions: [grown + 100, grown] });
  };
  if (grown !== partitionOf(id, partitions)) expect(lost(onlyNew(0))).toContain('NO_LOSS');
  expect(lost(onlyNew(1))).not.toContain('NO_LOSS');
});

test('by the seed a cluster has four partitions or twelve, and adds wait for a replica or not', () => {
  const variants = Array.from({ length: 24 }, (_, seed) => variantOf(seed, 'cluster'));
  expect(new Set(variants.map((variant) => variant.partitions))).toEqual(new Set([4, 12]));
  expect(new Set(variants.map(({ durability }) => durability))).toEqual(new Set(['memory', 'replicated']));
  expect(new Set(variantOf(5).durability)).toEqual(new Set('memory'));
});

const ids = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40));
const nodes = [
  `${ids[0]} 127.0.0.1:1@11 myself,master - 0 0 1 connected 0-99 [100->-${ids[1]}]`,
  `${ids[1]} 127.0.0.1:2@12,name master - 0 0 2 connected 101 103-200`,
  `${ids[2]} 127.0.0.1:3@13 slave ${ids[0]} 0 0 1 connected`,
  `${ids[3]} 127.0.0.1:4@14 slave ${ids[1]} 0 0 2 connected`,
];

test('what a node says of the cluster is read: who serves what, and whether all are well', () => {
  const members = membersIn(`$400\r\n${nodes.join('\n')}\n\r\n+PONG\r\n`);
  expect(members.map(({ port }) => port)).toEqual([1, 2, 3, 4]);
  expect(masterOf(members, 101)?.port).toBe(2);
  expect(masterOf(members, 102)).toBeUndefined();
  expect(isWhole(members, 2)).toBe(true);
  expect(viewOf(members)).toBe(viewOf(members.toReversed()));
});

test('a node that failed, a link that is down, or a master with two replicas is no whole cluster', () => {
  const whole = (change: (line: string) => string): boolean => isWhole(membersIn(nodes.map(change).join('\n')), 2);
  expect(whole((line) => line)).toBe(true);
  expect(whole((line) => line.replace('name master', 'name master,fail'))).toBe(false);
  expect(whole((line) => line.replace(/0 2 connected$/, '0 2 disconnected'))).toBe(false);
  expect(whole((line) => line.replace(`slave ${ids[1]}`, `slave ${ids[0]}`))).toBe(false);
});
