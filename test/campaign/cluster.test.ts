/** The cluster that a campaign breaks, and the hand by which it looks into it. */
import { expect, onTestFinished, test } from 'vitest';
import { Cluster } from '../../src/cli/verify/cluster/cluster.js';
import type { ClusterNode } from '../../src/cli/verify/cluster/node.js';
import type { Fact } from '../../src/cli/verify/history/records.js';

const options = { timeout: 120_000 };
const partition = 5;
const key = `queue:{campaign:${partition}}:meta`;

async function openCluster() {
  const facts: Fact[] = [];
  const note = (fact: Fact): void => void facts.push(fact);
  const tagOf = (at: number): string => `{campaign:${at}}`;
  const cluster = await Cluster.open({ plan: { appendonly: 'everysec' }, writer: { note }, tagOf });
  onTestFinished(() => cluster.stop());
  const hand = cluster.newHand('hand', 20_000);
  onTestFinished(() => hand.stop());
  const phases = (): string[] => facts.flatMap((fact) => (fact.what === 'server' ? [fact.phase] : []));
  return { cluster, hand, facts, phases };
}

test('a slot moves, masters are killed, frozen and restarted: the hand finds what it wrote', options, async () => {
  const { cluster, hand, facts, phases } = await openCluster();
  const isKept = async (): Promise<void> => expect(hand.send(['HGET', key, 'audit'])).resolves.toBe('1');
  await hand.send(['HSET', key, 'audit', '1']);

  const home = cluster.masterOf(partition);
  const first = cluster.masters.find((node) => node !== home) as ClusterNode;
  await cluster.moveSlot(partition, first, () => Promise.resolve());
  expect(cluster.masterOf(partition)).toBe(first);
  await isKept();

  const heir = await cluster.failOver(first, 'kill');
  expect(cluster.masterOf(partition)).toBe(heir);
  await isKept();
  await cluster.bringBack(first, 'kill');
  await expect(cluster.failOver(heir, 'freeze')).resolves.toBe(first);
  await isKept();
  await cluster.bringBack(heir, 'freeze');
  expect(phases()).toEqual(['killed', 'started', 'demoted', 'frozen', 'thawed', 'demoted']);

  await first.send('SCRIPT', 'LOAD', 'return 1');
  await cluster.restart(first);
  expect(cluster.masterOf(partition)).toBe(first);
  expect(await first.tell('INFO memory')).toContain('number_of_cached_scripts:0');
  await isKept();
  const hit = facts.flatMap((fact) => (fact.what === 'failover' ? [fact.partitions] : []));
  expect(hit).toEqual([expect.arrayContaining([partition]), expect.arrayContaining([partition])]);
});
