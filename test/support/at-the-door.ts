/**
 * The command line without a process around it: for what is told about arguments, of which there are hundreds, and a process
 * takes half a second. What a process adds (its input, signals, its end) is for test/support/cli.ts.
 */
import { vi } from 'vitest';
import { answer } from '../../src/cli/door.js';
import { CommandLine, type Result, type RunOptions } from './cli.js';

/** One at a time: it stands in for the process' own output, its folder and its address of Redis. */
export async function atTheDoor(
  argv: readonly string[],
  { folder, url }: { folder: string; url: string },
): Promise<Result> {
  const before = process.cwd();
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      said[stream] += String(chunk);
      return true;
    }),
  );
  vi.stubEnv('DUESTREAM_REDIS_URL', url);
  process.chdir(folder);
  try {
    return { code: await answer(argv), ...said };
  } finally {
    process.chdir(before);
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
  }
}

/**
 * Commands at the door, one after the other. Those that read their input, want an environment, or print by other ways than
 * ours (help) have a process.
 */
export class DoorLine extends CommandLine {
  #last: Promise<unknown> = Promise.resolve();

  override run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const needsProcess = ['-', '--help', '--version'].some((one) => args.includes(one));
    if (needsProcess || Object.keys(options).length > 0) return super.run(args, options);
    const result = this.#last.then(() => atTheDoor(args, this));
    this.#last = result.catch(() => undefined);
    return result;
  }
}
