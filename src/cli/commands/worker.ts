import { Worker, type WorkerOptions } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, type Flag } from '../command.js';
import { DeathLog } from '../death-log.js';
import { lineOf, oneLine } from '../failure.js';
import { loadHandlers } from '../handlers.js';
import { note } from '../output.js';
import { lockNodesOf } from '../redis-address.js';
import { roleFlags, runRole } from '../role.js';

const flags: Readonly<Record<string, Flag>> = {
  handlers: { describe: 'Module whose default export maps task names to functions', isRequired: true },
  concurrency: { describe: 'Tasks at work at once, for each queue (default: 10)' },
  lease: { describe: 'How long this process may be silent before others take its tasks (default: 30s, from 1s)' },
  leader: { describe: 'allow, never or only: may this process lead (default: allow)' },
  drain: { describe: 'How long running tasks may take to finish on SIGTERM (default: 20s)' },
  'max-deliveries': { describe: 'Lost leases after which a task is given up (default: 5)' },
  ...roleFlags,
  verbose: { describe: 'A line on stderr for each task, and for each command that fails in an outage', isSwitch: true },
  ...connected,
};

export const command: Command = {
  flags,
  examples: [
    ['worker mail --handlers ./handlers.mjs', 'until SIGTERM or Ctrl-C'],
    ['worker mail reports --handlers ./handlers.mjs --concurrency 50 --metrics-port 9464', 'two queues, with metrics'],
  ],
  run: runWorker,
};

const concurrencyRange = { min: 1, max: 1_000 };
const deliveriesRange = { min: 1, max: 1_000_000 };

async function runWorker(args: Arguments): Promise<number> {
  const options = optionsOf(args);
  const handlers = await loadHandlers(args.word('handlers'));
  const names = Object.keys(handlers);
  const deaths = new DeathLog();
  const ended = runRole(args, {
    kind: 'worker',
    detail: `handles ${names.join(', ')}`,
    names,
    make: (queue, shared) => {
      const worker = new Worker(queue, handlers, { ...shared, ...options });
      worker.on('log', ({ id, name, message }) => note(oneLine(`${queue}: ${name} ${id}: ${message}`)));
      if (args.on('verbose')) tellOfTasks(worker, queue);
      else deaths.listen(worker, queue);
      return worker;
    },
  });
  return ended.finally(() => deaths.close());
}

function optionsOf(args: Arguments): WorkerOptions {
  const concurrency = args.whole('concurrency', concurrencyRange);
  const maxDeliveries = args.whole('max-deliveries', deliveriesRange);
  const lease = args.text('lease');
  const drain = args.text('drain');
  const lockTtl = args.text('lock-ttl');
  const lockNodes = lockNodesOf(args);
  const leader = args.oneOf('leader', ['allow', 'never', 'only']);
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(maxDeliveries !== undefined && { maxDeliveries }),
    ...(lease !== undefined && { lease }),
    ...(drain !== undefined && { drain }),
    ...(lockTtl !== undefined && { lockTtl }),
    ...(lockNodes !== undefined && { lockNodes }),
    ...(leader !== undefined && { leader }),
  };
}

function tellOfTasks(worker: Worker, queue: string): void {
  const tell = (task: { id: string; name: string; attempt: number }, what: string): void => {
    note(`${queue}: ${task.name} ${task.id} (attempt ${task.attempt}) ${what}`);
  };
  worker.on('completed', (task) => tell(task, `completed in ${Math.round(task.durationMs)} ms`));
  worker.on('retried', (task) => tell(task, `again in ${task.delayMs} ms`));
  worker.on('failed', (task) => tell(task, `failed: ${lineOf(task.error)}`));
  worker.on('dead', (task) => tell(task, `given up: ${task.reason}`));
  worker.on('recovered', (task) => tell(task, 'taken over from a lost lease'));
  worker.on('leaseLost', (task) => tell(task, 'lost its lease'));
}
