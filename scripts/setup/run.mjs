import { spawn } from 'node:child_process';

/** What keeps the checkout from being ready, told in words for the person at the terminal. */
export class SetupError extends Error {}

export function say(line) {
  console.error(`set-up: ${line}`);
}

const signals = ['SIGINT', 'SIGTERM'];

/**
 * Runs a command without stdin and returns its exit code and all it printed. Ctrl-C and SIGTERM end the command and not
 * this process, which so gets to clean up after it, and to fail.
 */
export function run(command, args, { cwd, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let cutShortBy;
    const pass = (signal) => {
      cutShortBy = signal;
      child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const done = () => {
      for (const signal of signals) process.off(signal, pass);
    };
    child.on('error', (error) => {
      done();
      reject(new SetupError(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (code) => {
      done();
      if (cutShortBy) reject(new SetupError(`${command} was cut short by ${cutShortBy}`));
      else resolve({ code: code ?? 1, output });
    });
  });
}

/** Runs a command that has to succeed; what it printed is shown only when it does not. */
export async function runOrFail(command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new SetupError(`${[command, ...args].join(' ')} failed with exit code ${code}:\n${output}`);
}
