import { Worker } from 'duestream';
import type { Mail } from './tasks.js';

const worker = new Worker<Mail>(
  'mail',
  {
    welcome: async (task) => {
      console.log(`welcome ${task.payload.to}`);
    },
    digest: {
      handler: async (task, { signal }) => {
        // Stops when the lease is lost, on timeout, on cancel, and when a stop has waited long enough.
        signal.throwIfAborted();
        console.log(`digest for user ${task.payload.userId}, attempt ${task.attempt}`);
      },
      timeout: '30s',
      maxAttempts: 3,
    },
  },
  { connection: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', concurrency: 10, drain: '20s' },
);

worker.on('failed', ({ id, attempt, failure, willRetry }) => {
  console.error(`${id}: attempt ${attempt} failed: ${failure.message}; ${willRetry ? 'will be retried' : 'given up'}`);
});
worker.on('error', (error) => console.error(error));

/** The first signal lets handlers finish; the second aborts them. The process ends by itself when all is closed. */
let signals = 0;
function onSignal(): void {
  signals += 1;
  void worker.stop({ force: signals > 1 });
}
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);

await worker.start();
console.log('worker started');
