/** A process that only leads: it moves due tasks to the workers. Start two or three; one leads, the others wait. */
import { Leader } from 'duestream';

const leader = new Leader('mail', {
  connection: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  lockTtl: '5s',
  // With three independent servers the vote survives the loss of one:
  // lockNodes: ['redis://lock1:6379', 'redis://lock2:6379', 'redis://lock3:6379'],
});

leader.on('elected', ({ term }) => console.log(`leading, term ${term}`));
leader.on('stepped_down', ({ reason }) => console.log(`not leading any more: ${reason}`));
leader.on('error', (error) => console.error(error));

// Frees the lock, so that another leads at once instead of when the TTL is over.
process.once('SIGTERM', () => void leader.stop());
process.once('SIGINT', () => void leader.stop());

await leader.start();
