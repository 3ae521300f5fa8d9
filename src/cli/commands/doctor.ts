import { scheduler } from 'node:timers/promises';
import { type Check, type Diagnosis, doctor, Leader, Queue } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { exitCodes, Failure, lineOf } from '../failure.js';
import { note, print, printJson, table } from '../output.js';
import { type Address, type Connection, connectionOf, lockNodesOf } from '../redis-address.js';
import { noteIfNew, oneShot } from '../with-queue.js';

export const command: Command = {
  flags: {
    repair: {
      describe: 'Put tasks back that are in no place, as after a deleted stream; leads for a moment when nobody does',
      isSwitch: true,
    },
    'lock-nodes': { describe: 'With --repair: those of the other candidates, with commas' },
    ...json,
    ...connected,
  },
  examples: [
    ['doctor', 'Redis version, persistence, eviction, clock; leader, tasks and consumers of every queue'],
    ['doctor mail --repair', 'the same, and what is in no place is scheduled again'],
  ],
  run: runDoctor,
};

async function runDoctor(args: Arguments): Promise<number> {
  let diagnosis = await diagnose(args);
  if (args.on('repair')) {
    const queues = brokenQueues(diagnosis);
    const lockNodes = lockNodesOf(args);
    const reach = { ...connectionOf(args), ...(lockNodes !== undefined && { lockNodes }) };
    for (const queue of queues) await repair(queue, reach);
    if (queues.length > 0) diagnosis = await diagnose(args);
  }
  const { ok, checks } = diagnosis;
  await noteIfNew(args);
  if (args.on('json')) printJson({ ok, checks });
  else print(table(checks.map((check) => [wordOf(check), nameOf(check), check.detail])));
  if (ok) return exitCodes.ok;
  const wrong = checks.filter((check) => !check.ok).map(nameOf);
  note(`wrong: ${wrong.join(', ')}`);
  return exitCodes.failed;
}

/** With the master it is about, where there are several. */
function nameOf({ name, server }: Check): string {
  return server === undefined ? name : `${server}: ${name}`;
}

function wordOf({ ok, risk }: Check): string {
  if (!ok) return 'WRONG';
  return risk ? 'risk' : 'ok';
}

function diagnose(args: Arguments): Promise<Diagnosis> {
  const queue = args.text('queue');
  const { commandTimeout } = oneShot;
  return doctor({ ...connectionOf(args), commandTimeout, ...(queue !== undefined && { queue }) });
}

const tasksCheck = /: tasks$/;

function brokenQueues({ checks }: Diagnosis): string[] {
  return checks.filter(({ name, ok }) => !ok && tasksCheck.test(name)).map(({ name }) => name.replace(tasksCheck, ''));
}

const repairMsMax = 60_000;
const lookMs = 100;

/** It is the leader's work, and a sweep of some seconds. Whoever leads does it; this process leads when nobody does. */
async function repair(name: string, connection: Connection & { lockNodes?: Address[] }): Promise<void> {
  const { lockNodes: _votes, ...reach } = connection;
  const queue = new Queue(name, { ...reach, ...oneShot });
  const { leader, unplaced } = await queue.stats();
  const own = leader === null ? new Leader(name, connection) : undefined;
  own?.on('error', (error) => note(lineOf(error)));
  // Another leads after all, maybe by other lock nodes: it does the work, and is not disturbed again.
  own?.on('stepped_down', ({ reason }) => void (reason === 'refused' && own.stop()));
  const tooLate = AbortSignal.timeout(repairMsMax);
  try {
    await own?.start();
    while ((await queue.stats()).unplaced > 0) {
      if (tooLate.aborted) {
        throw new Failure(exitCodes.timedOut, `${name}: not all tasks were put back within ${repairMsMax / 1_000} s`);
      }
      await scheduler.wait(lookMs);
    }
    note(`${name}: ${unplaced} tasks were put back`);
  } finally {
    await own?.stop();
    await queue.close();
  }
}
