import type { RedisLink } from '../../testing.js';

const scanCount = '500';

/** Deletes the keys of a prefix that is the demo's own, step by step, so that a big Redis hardly feels it. */
export async function removeKeys(link: RedisLink, prefix: string): Promise<void> {
  let cursor = '0';
  do {
    const scan = ['SCAN', cursor, 'MATCH', `${prefix}:*`, 'COUNT', scanCount];
    const [next, keys] = (await link.send(scan)) as [string, string[]];
    if (keys.length > 0) await link.send(['UNLINK', ...keys]);
    cursor = next;
  } while (cursor !== '0');
}
