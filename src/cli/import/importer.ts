import type { Readable } from 'node:stream';
import type { NewTask, Queue } from '../../index.js';
import { codeOf, exitCodeOf, exitCodes, Failure } from '../failure.js';
import { jsonBytesMax } from '../payload-text.js';
import { type Line, linesOf } from './lines.js';
import type { Tally } from './tally.js';
import { taskOf } from './task-line.js';

/** A checked line on its way, with its number for when the library refuses it. */
interface Item {
  readonly line: number;
  readonly bytes: number;
  readonly task: NewTask;
}

const batchItemsMax = 500;
const batchBytesMax = 1024 * 1024;
const batchesInFlightMax = 4;

/** Beside the payload a line has an id, a name and a few options. */
const lineBytesMax = jsonBytesMax + 64 * 1024;

/**
 * Reads lines and adds them in batches, a few in flight: the file is read only as fast as Redis takes it, and never
 * lies in memory whole. Each line stands for itself: a bad one is counted by its number, the others are added.
 */
export class Importer {
  readonly #queue: Queue;
  readonly #tally: Tally;
  readonly #onProgress: () => void;
  readonly #inFlight = new Set<Promise<void>>();
  #batch: Item[] = [];
  #batchBytes = 0;
  #failure: { error: unknown } | undefined;

  constructor(parts: { queue: Queue; tally: Tally; onProgress: () => void }) {
    this.#queue = parts.queue;
    this.#tally = parts.tally;
    this.#onProgress = parts.onProgress;
  }

  /** Ends with the input, or early when the signal aborts; what was read by then is added. */
  async run(input: Readable, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => input.destroy(), { once: true });
    try {
      await this.#readAll(input);
      await this.#flush();
    } catch (error) {
      if (!signal.aborted) throw error; // a stream that is destroyed rejects its reader
      await this.#flush();
    } finally {
      await Promise.all(this.#inFlight);
    }
    if (this.#failure) throw this.#failure.error;
  }

  async #readAll(input: Readable): Promise<void> {
    for await (const line of linesOf(input, lineBytesMax)) {
      this.#take(line);
      if (this.#batch.length >= batchItemsMax || this.#batchBytes >= batchBytesMax) await this.#flush();
      if (this.#failure) return;
    }
  }

  #take(line: Line): void {
    if ('text' in line && line.text.trim() === '') return;
    this.#tally.read();
    try {
      if ('bad' in line) throw new Failure(exitCodes.usage, `it is ${line.bad}`);
      this.#batch.push({ line: line.number, bytes: line.text.length, task: taskOf(line.text) });
      this.#batchBytes += line.text.length;
    } catch (error) {
      this.#tally.refuse(line.number, error);
    }
  }

  /** Sends the batch, and waits only while enough others are under way. */
  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (batch.length === 0 || this.#failure) return;
    const sent = this.#send(batch).finally(() => this.#inFlight.delete(sent));
    this.#inFlight.add(sent);
    if (this.#inFlight.size >= batchesInFlightMax) await Promise.race(this.#inFlight);
  }

  /** Never rejects: the first failure ends the import, after what is under way. */
  async #send(batch: readonly Item[]): Promise<void> {
    try {
      await this.#add(batch);
      this.#onProgress();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /**
   * `addMany` checks the whole call before it writes, and refuses it for one bad item: then each half is tried, down to
   * the bad ones alone. So what the library takes is decided by the library, and in one place.
   */
  async #add(batch: readonly Item[]): Promise<void> {
    try {
      this.#tally.add(await this.#queue.addMany(batch.map(({ task }) => task)));
    } catch (error) {
      const [first] = batch;
      if (first === undefined || exitCodeOf(error) !== exitCodes.usage || codeOf(error) === '') throw error;
      if (batch.length === 1) return this.#tally.refuse(first.line, error);
      const middle = Math.ceil(batch.length / 2);
      await this.#add(batch.slice(0, middle));
      await this.#add(batch.slice(middle));
    }
  }
}
