/**
 * A payload is checked before its handler sees it; one that is refused goes to the dead letters, `rejected`, without a
 * try. zod, valibot, arktype and others make such schemas (https://standardschema.dev); this one is made by hand.
 */
import { type StandardSchema, Worker } from 'duestream';

type Signup = { email: string };

const signup: StandardSchema = {
  '~standard': {
    validate: (value) => {
      const email = typeof value === 'object' && value !== null && 'email' in value ? value.email : undefined;
      if (typeof email === 'string' && email.includes('@')) return { value: { email: email.toLowerCase() } };
      return { issues: [{ message: 'must be an address', path: ['email'] }] };
    },
  },
};

const worker = new Worker<{ signup: Signup }>(
  'signups',
  {
    // The handler gets what the schema gave back.
    signup: { schema: signup, handler: async (task) => console.log(`signed up ${task.payload.email}`) },
  },
  { connection: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
);

// The refusal tells the path, never the value: payloads hold what must not be in logs.
worker.on('failed', ({ id, failure }) => console.log(`${id}: ${failure.message}`));
process.once('SIGTERM', () => void worker.stop());
process.once('SIGINT', () => void worker.stop());

await worker.start();
