/**
 * The command line without a process around it: for what is told about arguments, of which there are hundreds, and a process
 * takes half a second. What a process adds (its input, signals, its end) is for test/support/cli.ts.
 */
import { vi } from 'vitest';
import { answer } from '../../src/cli/door.js';
import type { Result } from './cli.js';

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
