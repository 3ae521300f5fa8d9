import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { clusterAddress } from '../../src/redis/cluster/cluster-options.js';
import { Inquiry } from '../../src/redis/cluster/inquiry.js';
import type { SlotMap } from '../../src/redis/cluster/slot-map.js';
import { slotCount } from '../../src/redis/cluster/slot.js';
import { ClusterNode } from '../support/cluster.js';
import { until } from '../support/redis.js';

type Name = () => string;

/** Two nodes that each take themselves for the whole cluster, and one that knows of no slot. */
let nodes: readonly ClusterNode[] = [];
const [older, newer, lone] = [0, 1, 2].map((at) => () => nodes[at]?.name ?? '') as [Name, Name, Name];

beforeAll(async () => {
  nodes = await Promise.all([ClusterNode.start(), ClusterNode.start(), ClusterNode.start()]);
  for (const [at, epoch] of [5, 9].entries()) {
    const node = nodes[at] as ClusterNode;
    await node.send('CLUSTER', 'SET-CONFIG-EPOCH', epoch);
    await node.send('CLUSTER', 'ADDSLOTSRANGE', 0, slotCount - 1);
    await until(async () => (await node.told('cluster', 'cluster_state')) === 'ok', 'it to be well');
  }
});
afterAll(() => Promise.all(nodes.map((node) => node.stop())));

async function ask(names: readonly Name[], epochMin: number): Promise<{ map: SlotMap; epoch: number }> {
  const cluster = clusterAddress({ cluster: names.map((name) => name()) });
  if (cluster === undefined) throw new Error('no cluster');
  return new Inquiry({ nodes: cluster.seeds, epochMin, cluster, clock: systemClock }).run();
}

test('the first who is in touch is believed', async () => {
  await expect(ask([older, newer], 0)).resolves.toMatchObject({ epoch: 5, isWell: true });
});

test('a node that knows less than is known is not believed, while another does not', async () => {
  const { map } = await ask([older, newer], 9);
  expect(map.masterOf(1)).toBe(newer());
});

test('where nobody knows as much, the cluster was made anew: the newest of them is believed', async () => {
  await expect(ask([older, newer], 20)).resolves.toMatchObject({ epoch: 9 });
});

test('a node that is in touch with nobody is believed only by itself', async () => {
  await expect(ask([lone, older], 0)).resolves.toMatchObject({ epoch: 5, isWell: true });
  await expect(ask([lone], 0)).resolves.toMatchObject({ isWell: false });
});
