import { doctor } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { exitCodes } from '../failure.js';
import { note, print, printJson, table } from '../output.js';
import { connectionOf } from '../redis-address.js';
import { noteIfNew, oneShot } from '../with-queue.js';

export const command: Command = {
  flags: { ...json, ...connected },
  examples: [['doctor', 'Redis version, persistence, eviction, clock; leader and consumers of every queue']],
  run: runDoctor,
};

async function runDoctor(args: Arguments): Promise<number> {
  const queue = args.text('queue');
  const { commandTimeout } = oneShot;
  const { ok, checks } = await doctor({ ...connectionOf(args), commandTimeout, ...(queue !== undefined && { queue }) });
  await noteIfNew(args);
  if (args.on('json')) printJson({ ok, checks });
  else print(table(checks.map((check) => [check.ok ? 'ok' : 'WRONG', check.name, check.detail])));
  if (ok) return exitCodes.ok;
  const wrong = checks.filter((check) => !check.ok).map(({ name }) => name);
  note(`wrong: ${wrong.join(', ')}`);
  return exitCodes.failed;
}
