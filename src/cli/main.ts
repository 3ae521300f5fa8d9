#!/usr/bin/env node
import { answer } from './door.js';
import { exitCodes } from './failure.js';
import { flushed, note } from './output.js';

/** `duestream task list … | head -1` ends quietly when head has seen enough; a lost stderr stops nobody's work. */
function endQuietlyWithTheReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
  });
  process.stderr.on('error', () => {});
}

/** When something waits for what never comes, Node just ends, with 0: say so instead. */
function neverEndSilently(): () => void {
  const onEnd = (): void => {
    note('stopped before it was done: something waits for a promise that never settles');
    process.exitCode = exitCodes.failed;
  };
  process.once('beforeExit', onEnd);
  return () => process.off('beforeExit', onEnd);
}

/** The end is explicit, for a handler module may leave connections open that would keep the process alive. */
async function run(): Promise<never> {
  endQuietlyWithTheReader();
  const ended = neverEndSilently();
  const exitCode = await answer(process.argv.slice(2));
  ended();
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

void run();
