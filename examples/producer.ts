import { DuestreamError, Queue } from 'duestream';
import type { Mail } from './tasks.js';

const queue = new Queue<Mail>('mail', { connection: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' });

const now = await queue.add('welcome', { to: 'ann@example.com' });
console.log('due now:', now.status);

const later = await queue.add('digest', { userId: 7 }, { in: '90m', id: 'digest-7', expiresIn: '1d' });
console.log('due in 90 minutes:', later.status);

const again = await queue.add('digest', { userId: 7 }, { in: '90m', id: 'digest-7' });
console.log('the same id, while it lives:', again.status);

await queue.add('welcome', { to: 'bob@example.com' }, { at: '2031-01-01T09:00+01:00', id: 'welcome-bob' });

const users = [1, 2, 3];
const added = await queue.addMany(
  users.map((userId) => ({ name: 'digest', payload: { userId }, in: '1h', id: `digest-${userId}` })),
);
console.log('many at once:', added.map(({ status }) => status).join(', '));

// An id of your own makes an unknown outcome harmless: add it again and see.
try {
  await queue.add('welcome', { to: 'cid@example.com' }, { id: 'welcome-cid' });
} catch (error) {
  if (!(error instanceof DuestreamError) || error.code !== 'ERR_OUTCOME_UNKNOWN') throw error;
  await queue.add('welcome', { to: 'cid@example.com' }, { id: 'welcome-cid' });
}

await queue.close();
