import { RedisLink, ServerClock } from '../../testing.js';
import { lineOf } from '../failure.js';
import { Post } from './post.js';
import type { Order, RoleName, Setting } from './records.js';
import { type Role, roles } from './roles.js';

/**
 * One process of the demo: a producer, a leader candidate or a worker, by the word after the file's name. Orders and
 * settings come by IPC. It leaves when it is told to, and at once when whoever started it is gone.
 */
const post = new Post();

interface Ready {
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
  return { role, clock, link };
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

process.on('SIGINT', () => {}); // Ctrl-C reaches all at the terminal; the demo ends this process when it is time
process.on('disconnect', () => process.exit(1));
process.on('message', (order: Order) => {
  if (order.type === 'prepare') ready = prepare(order.setting);
  else if (order.type === 'begin') ready?.then(({ role }) => role.begin()).catch(fail);
  else ready?.then(leave).catch(fail);
  ready?.catch(fail);
});
