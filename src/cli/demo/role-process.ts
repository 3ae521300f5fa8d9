import { scheduler } from 'node:timers/promises';
import { RedisLink, ServerClock } from '../../testing.js';
import { lineOf } from '../failure.js';
import { removeKeys } from './own-keys.js';
import { Post } from './post.js';
import type { Order, RoleName, Setting } from './records.js';
import { type Role, roles } from './roles.js';

/**
 * One process of the demo: a producer, a leader candidate or a worker, by the word after the file's name. Orders and
 * settings come by IPC. It leaves when it is told to, and at once when whoever started it is gone.
 */
const post = new Post();
const leavingMs = 500;

interface Ready {
  readonly setting: Setting;
  readonly role: Role;
  readonly clock: ServerClock;
  readonly link: RedisLink;
}

async function prepare(setting: Setting): Promise<Ready> {
  const { connection } = setting;
  const link = new RedisLink({ connection, purpose: 'clock' });
  const clock = new ServerClock({ link });
  await clock.start();
  const role = await roles[process.argv[2] as RoleName]({ setting, clock, post });
  post.send({ type: 'ready' });
  return { setting, role, clock, link };
}

async function leave({ role, clock, link }: Ready): Promise<never> {
  await role.stop();
  clock.stop();
  await link.stop();
  await post.close();
  process.exit(0);
}

function fail(error: unknown): void {
  post.send({ type: 'failed', text: lineOf(error) });
}

let ready: Promise<Ready> | undefined;

/** The demo is gone without a word. All leave at once but the producer, which sweeps the stage when they have. */
async function abandon(): Promise<never> {
  try {
    if (process.argv[2] === 'producer' && ready) {
      const { setting, role, link } = await ready;
      await role.stop();
      await scheduler.wait(leavingMs);
      if (link.isUp) await removeKeys(link, setting.prefix); // else the Redis was the demo's own, and is gone as well
    }
  } catch {
    // Nobody is left to tell.
  }
  process.exit(1);
}

process.on('SIGINT', () => {}); // Ctrl-C reaches all at the terminal; the demo ends this process when it is time
process.on('disconnect', () => void abandon());
process.on('message', (order: Order) => {
  if (order.type === 'prepare') {
    ready = prepare(order.setting);
    ready.catch(fail);
  } else if (order.type === 'begin') {
    ready?.then(({ role }) => role.begin()).catch(fail);
  } else {
    ready?.then(leave).catch(() => process.exit(1));
  }
});
