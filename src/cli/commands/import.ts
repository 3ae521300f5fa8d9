import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { codeOf, exitCodeOf, exitCodes, Failure, lineOf, usage } from '../failure.js';
import { Importer } from '../import/importer.js';
import { type ImportResult, Tally } from '../import/tally.js';
import { note, print, printJson } from '../output.js';
import { StopSignal } from '../stop-signal.js';
import { patient, withQueue } from '../with-queue.js';

export const command: Command = {
  flags: { ...json, ...connected },
  examples: [
    ['import mail tasks.ndjson', '{"name":"welcome","payload":{"to":"a@b.c"},"in":"5m"} and more such lines'],
    [
      'import mail < tasks.ndjson',
      'from stdin; also: maxAttempts, timeout, backoff, expiresIn, expiresAt, id, at, atMs',
    ],
  ],
  run: runImport,
};

/** A line for each of thousands of batches would be most of the work. */
const progressEvery = 4;

async function runImport(args: Arguments): Promise<number> {
  const file = args.text('file') ?? '-';
  const input = file === '-' ? process.stdin : await opened(file);
  const tally = new Tally();
  const stop = new StopSignal('adding what was read; a second signal ends at once');
  try {
    const onProgress = progressOf(tally);
    await withQueue(args, (queue) => queue.stats()); // is Redis there at all?
    await withQueue(args, (queue) => new Importer({ queue, tally, onProgress }).run(input, stop.signal), patient);
  } catch (error) {
    throw endedEarly(error, tally.result);
  } finally {
    input.destroy();
    stop.close();
    endProgress();
  }
  tally.tellRest();
  show(args, tally.result);
  if (stop.exitCode !== undefined) return stop.exitCode;
  return tally.result.refused > 0 ? exitCodes.partlyRefused : exitCodes.ok;
}

/** Opened before anything is sent: a missing file is a usage error. */
async function opened(file: string): Promise<Readable> {
  try {
    if ((await stat(file)).isDirectory()) throw usage(`${file} is a directory: name a file of JSON lines`);
    return (await open(file)).createReadStream();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw usage(`no such file: ${file}`);
    if (codeOf(error) !== '') throw usage(`can't read ${file}: ${codeOf(error)}`);
    throw error;
  }
}

function progressOf(tally: Tally): () => void {
  let batches = 0;
  return () => {
    batches += 1;
    if (!process.stderr.isTTY || batches % progressEvery !== 0) return;
    const { read, refused } = tally.result;
    process.stderr.write(`\r${read} lines read, ${refused} refused`);
  };
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

/** What was added by then stays: say so, for a second run would add it again. */
function endedEarly(error: unknown, { added, read }: ImportResult): Failure {
  if (added === 0) return new Failure(exitCodeOf(error), lineOf(error), { cause: error });
  const advice = 'when lines have ids, run it again: what is there is counted as duplicate';
  note(`stopped near line ${read}; ${added} tasks were added before; ${advice}`);
  return new Failure(exitCodeOf(error), lineOf(error), { cause: error });
}

function show(args: Arguments, result: ImportResult): void {
  if (args.on('json')) return printJson(result);
  const { read, added, scheduled, ready, duplicates, refused } = result;
  print(
    `${read} read, ${added} added (${scheduled} scheduled, ${ready} ready), ${duplicates} duplicates, ${refused} refused`,
  );
}
