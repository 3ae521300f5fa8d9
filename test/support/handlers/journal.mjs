/**
 * Handlers of the kill tests. Every start is in the journal before anything else can happen, and every end: lines that
 * are appended whole, by as many processes as there are, and that outlive each of them.
 *
 * The clock is this host's, which is the one its Redis reads: so the journal tells whether a start was early.
 */
import { existsSync, openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const { JOURNAL = '', GATE = '' } = process.env;
const journal = openSync(JOURNAL, 'a');

function write(what, { id, attempt, delivery, due }) {
  writeSync(journal, `${what} ${id} ${attempt} ${delivery} ${due} ${Date.now()} ${process.pid}\n`);
}

async function work(task) {
  write('start', task);
  await pause(task.payload?.ms ?? 1);
  write('end', task);
}

/** Fails its first attempt: it goes through the schedule a second time. */
async function flaky(task) {
  await work(task);
  if (task.attempt === 1) throw new Error('the first attempt fails');
}

/** Takes its whole process along. */
function poison(task) {
  write('start', task);
  process.kill(process.pid, 'SIGKILL');
}

/** At work until the test opens the gate, for all or for this process, whatever becomes of its lease in the meantime. */
async function gated(task) {
  write('start', task);
  while (!existsSync(GATE) && !existsSync(`${GATE}.${process.pid}`)) await pause(10);
  write('end', task);
}

export default { work, flaky, poison, gated };
