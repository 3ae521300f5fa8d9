import { expect, test } from 'vitest';
import { NodeLinks } from '../../src/redis/cluster/node-links.js';
import type { Link } from '../../src/redis/link.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Which of these nodes are left when only `master` is a master, so many ms after they were used. */
async function left(nodes: Readonly<Record<string, { isUp: boolean; isSilent: boolean }>>, afterMs: number) {
  const clock = new VirtualClock();
  const stopped: string[] = [];
  const open = (name: string): Link =>
    ({ ...nodes[name], stop: () => Promise.resolve(void stopped.push(name)) }) as unknown as Link;
  const links = new NodeLinks({ clock, open });
  for (const name of Object.keys(nodes)) links.to(name);
  await clock.advance(afterMs);
  links.keep(new Set(['master']));
  return stopped;
}

const nodes = {
  master: { isUp: true, isSilent: true },
  answers: { isUp: true, isSilent: false },
  sleeps: { isUp: true, isSilent: true },
  gone: { isUp: false, isSilent: false },
};

test('a node that is no master any more is left when it is away or says nothing, and else once nothing is under way', async () => {
  expect(await left(nodes, 0)).toEqual(['sleeps', 'gone']);
  expect(await left(nodes, 10_001)).toEqual(['answers', 'sleeps', 'gone']);
});
