import { spawn } from 'node:child_process';

/** What keeps the checkout from being ready, told in words for the person at the terminal. */
export class SetupError extends Error {}

export function say(line) {
  console.error(`set-up: ${line}`);
}

/**
 * Runs a command without stdin and returns its exit code and all it printed. `keepGoing`: Ctrl-C and SIGTERM end the
 * command, not this process, which so gets to clean up after it.
 */
export function run(command, args, { cwd, env = process.env, keepGoing = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const pass = (signal) => child.kill(signal);
    if (keepGoing) for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const done = () => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, pass);
    };
    child.on('error', (error) => {
      done();
      reject(new SetupError(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (code) => {
      done();
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Runs a command that has to succeed; what it printed is shown only when it does not. */
export async function runOrFail(command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new SetupError(`${[command, ...args].join(' ')} failed with exit code ${code}:\n${output}`);
}
