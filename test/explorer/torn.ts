import { newToken } from '../../src/random.js';
import { layoutOf } from '../../src/layout.js';
import { runScript } from '../../src/redis/script.js';
import { add, promote, runNow } from '../../src/redis/scripts.generated.js';
import { Violation } from './case.js';
import { keys } from './ground.js';
import { isExpired } from './judge-leader.js';
import type { World } from './world.js';

const lastOfAll = '18446744073709551615-18446744073709551615';

/**
 * Redis does not roll a script back. While the stream has no id left to give, every script that puts a task there is torn
 * at its XADD; whatever it had done by then, the task must still be where it was.
 */
export async function tear(world: World, id: string): Promise<void> {
  const { ground, ledger } = world;
  const expiring = [...ledger.lives.values()].some((life) => isExpired(life, world.nowMs));
  if (ledger.isPaused || expiring || ledger.strays.size > 0) return; // those scripts end tasks, or place them elsewhere
  const info = (await ground.ask('XINFO', 'STREAM', keys.stream)) as (string | number)[];
  const lastId = String(info[info.indexOf('last-generated-id') + 1]);
  const own = { layout: layoutOf(1), nowMs: world.nowMs, lane: newToken(), call: 1 };
  const caller = { send: (args: readonly string[]) => ground.ask(...args) };
  const { term, token } = ledger;
  const item = { id, when: '+0', expires: '', record: '["plain",[0]]' };
  await ground.ask('XSETID', keys.stream, lastOfAll);
  const calls = [
    runScript(caller, promote, { keys, args: { ...own, term, token, overdueMs: 0, limit: 100 } }),
    runScript(caller, runNow, { keys, args: { ...own, id } }),
    runScript(caller, add, { keys, args: { ...own, items: [item] } }),
  ];
  const [promoting, ...placing] = await Promise.allSettled(calls);
  await ground.ask('XSETID', keys.stream, lastId);
  if (promoting?.status === 'rejected') world.met.add('a promote was torn');
  if (placing.some(({ status }) => status === 'rejected')) world.met.add('a script was torn');
  const [got, expected] = [await ground.look(), ledger.words()];
  if (got !== expected)
    world.violation ??= new Violation('torn-loses-nothing', `${got} expected ${expected}`.replaceAll('\n', ' | '));
}
