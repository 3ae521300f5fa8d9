/** Recurring tasks. Start it twice: both write the same schedules, and each time is fired once. */
import { Queue, Worker } from 'duestream';

type Reports = { sales: { of: string }; heartbeat: null };

const connection = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const queue = new Queue<Reports>('reports', { connection });

// Raise `version` with each change: a process that still has the former one then writes nothing over it.
const nightly = await queue.schedule(
  'nightly',
  { cron: '30 2 * * *', tz: 'Europe/Berlin', catchUp: { all: 3 }, exclude: ['2027-12-24'], version: 1 },
  { name: 'sales', payload: { of: 'yesterday' }, timeout: '10m' },
);
console.log(`nightly ${nightly.status}, next ${timeText(nightly.next)}`);

// None while the one before is not done; after three dead letters in a row it pauses itself.
const beats = await queue.schedule('beats', { every: '1s', overlap: 'skip', pauseAfter: 3 }, { name: 'heartbeat' });
console.log(`beats ${beats.status}, next ${timeText(beats.next)}`);

const worker = new Worker<Reports>(
  'reports',
  {
    // The id says which of its times it is, also when it was late or is tried again: `nightly@2027-03-28T00:30:00.000Z`.
    sales: async (task) => console.log(`sales of ${task.payload.of}, as ${task.id}`),
    heartbeat: async (task) => console.log(`${task.id}, ${Date.now() - task.due} ms late`),
  },
  { connection },
);
worker.on('error', (error) => console.error(error));

async function stop(): Promise<void> {
  await worker.stop();
  const info = await queue.schedules.get('beats');
  console.log(`beats fired ${info?.count} times, next ${timeText(info?.next ?? null)}`);
  await queue.close();
}
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());

await worker.start();
await queue.schedules.trigger('nightly'); // once now, whatever the rule says

function timeText(epochMs: number | null): string {
  return epochMs === null ? 'never' : new Date(epochMs).toISOString();
}
