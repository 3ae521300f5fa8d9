/** What to do about a failure, by its kind: wait as long as the other side asks for, or give up at once. */
import { RejectTask, Worker } from 'duestream';

type Hooks = { call: { url: string } };

class Busy extends Error {
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super('the other side is busy');
    this.retryAfterMs = retryAfterMs;
  }
}

const worker = new Worker<Hooks>(
  'hooks',
  {
    call: {
      handler: async (task, { signal }) => {
        const response = await fetch(task.payload.url, { signal, headers: { 'Idempotency-Key': task.id } });
        if (response.status === 429) throw new Busy(Number(response.headers.get('Retry-After') ?? 1) * 1_000);
        // It will be just as wrong the next time: to the dead letters, without another attempt.
        if (response.status >= 400 && response.status < 500) throw new RejectTask(`answered ${response.status}`);
        if (!response.ok) throw new Error(`answered ${response.status}`);
      },
      timeout: '10s',
      maxAttempts: 8,
      // Gets the attempt that failed and its error. When it fails itself, the default backoff is taken.
      backoff: (attempt, error) => (error instanceof Busy ? error.retryAfterMs : Math.min(2 ** attempt * 100, 60_000)),
    },
  },
  { connection: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
);

worker.on('completed', ({ id, attempt }) => console.log(`${id} completed at attempt ${attempt}`));
worker.on('retried', ({ id, delayMs }) => console.log(`${id} again in ${delayMs} ms`));
worker.on('dead', ({ id, reason }) => console.log(`${id} dead: ${reason}`));
process.once('SIGTERM', () => void worker.stop());
process.once('SIGINT', () => void worker.stop());

await worker.start();
