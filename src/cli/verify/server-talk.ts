import { connect } from 'node:net';
import { scheduler } from 'node:timers/promises';
import { nowMs } from './history/instant.js';

/** Where all servers of a campaign listen. */
export const host = '127.0.0.1';
const lookMs = 50;
const answerMs = 500;

/**
 * All that a server or a Sentinel answers, as it comes, on a connection of its own: a Sentinel knows too few commands for
 * a link, and a link to a server that was frozen may take seconds to be there again. Empty: nothing.
 */
export async function ask(port: number | undefined, command: string): Promise<string> {
  const end = '+PONG\r\n';
  const socket = connect(port ?? 0, host);
  let answer = '';
  const silent = setTimeout(() => socket.destroy(), answerMs);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {}); // it closes then
  socket.on('data', (chunk) => {
    answer += String(chunk);
    if (answer.endsWith(end)) socket.destroy();
  });
  socket.write(`${command}\r\nPING\r\n`);
  await closed;
  clearTimeout(silent);
  return answer.endsWith(end) ? answer : '';
}

/** Looks again every 50 ms; throws when it took longer than that. */
export async function until(holds: () => Promise<boolean>, what: string, msMax: number): Promise<void> {
  const endMs = nowMs() + msMax;
  while (!(await holds())) {
    if (nowMs() > endMs) throw new Error(`not within ${msMax} ms: ${what}`);
    await scheduler.wait(lookMs);
  }
}
