import { onTestFinished } from 'vitest';
import { Proxy as Network } from '../../src/cli/verify/proxy.js';
import type { RedisServer } from '../../src/redis/embedded.js';

export type { Direction } from '../../src/cli/verify/proxy.js';

/** The fault campaign's network, for one test: it is gone when that is over. */
export class Proxy extends Network {
  static async before(target: RedisServer): Promise<Proxy> {
    const proxy = new Proxy(target);
    await proxy.listen();
    onTestFinished(() => proxy.stop());
    return proxy;
  }
}
