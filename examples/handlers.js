/**
 * Handlers for `duestream worker mail --handlers ./examples/handlers.js`: the default export maps a task's name to the
 * function that runs it, or to an object with that function and its options.
 */
import { RejectTask } from 'duestream';

export default {
  welcome: async (task, context) => {
    if (typeof task.payload?.to !== 'string') throw new RejectTask('no address to write to');
    context.log(`would write to ${task.payload.to}`);
  },

  digest: {
    // A retry must not send it twice: hand the task's id on to whatever can tell a repetition.
    handler: async (task, { signal }) => {
      signal.throwIfAborted();
      return { user: task.payload.userId, idempotencyKey: task.id };
    },
    timeout: '30s',
    maxAttempts: 5,
    backoff: { type: 'exponential', delay: '1s', max: '10m' },
  },
};
