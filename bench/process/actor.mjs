/**
 * A process of the benchmark, a producer or a worker of one system: `node actor.mjs <role> <system>`. It answers calls
 * that come over IPC, and ends when they can come no more.
 */
import { systems } from '../systems/systems.mjs';
import { producing } from './producing.mjs';
import { working } from './working.mjs';

const [role, system] = process.argv.slice(2);
const methods = role === 'worker' ? working : producing;

async function answer({ call, method, args }) {
  if (method === 'leave') process.exit();
  try {
    process.send({ call, value: await methods[method](args) });
  } catch (error) {
    process.send({ call, failure: error?.stack ?? String(error) });
  }
}

process.on('SIGINT', () => {}); // Ctrl-C is for the benchmark, which ends this process
process.on('disconnect', () => process.exit());
process.on('message', (message) => void answer(message));

void systems[system].load().then(() => process.send({ ready: true }));
