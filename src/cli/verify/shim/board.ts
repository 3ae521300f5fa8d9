import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';

/** The layout of source.ts. */
const whichAt = 4;
const stepsAt = 8;
const rowsAt = 24;
const rowBytes = 16;
const rowsMax = 64;
const nsPerMs = 1_000_000n;

/**
 * What the campaign and the shim inside one process share: a small file, mapped there. It outlives that process, so the
 * next life of it has the same step and the same books.
 */
export class Board {
  readonly path: string;
  readonly #file: number;
  #which = 0;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'w+');
    writeSync(this.#file, Buffer.alloc(rowsAt + rowsMax * rowBytes), 0);
  }

  /** The process that has the shim in it; 0 when none ever did: a static program ignores LD_PRELOAD. */
  get pid(): number {
    return readFileSync(this.path).readUInt32LE(0);
  }

  /** The clock on the wall of that process is so far from the true one. One byte makes it so: nobody reads half a step. */
  stepTo(ms: number): void {
    const other = 1 - this.#which;
    const step = Buffer.alloc(8);
    step.writeBigInt64LE(BigInt(Math.round(ms)) * nsPerMs);
    writeSync(this.#file, step, 0, step.length, stepsAt + 8 * other);
    writeSync(this.#file, Uint8Array.of(other), 0, 1, whichAt);
    this.#which = other;
  }

  /** So many bytes of this file would be there after a power loss; undefined when it was never synced. */
  syncedBytes(path: string): number | undefined {
    const { ino, size } = statSync(path, { bigint: true });
    const rows = readFileSync(this.path);
    for (let at = rowsAt; at < rows.length; at += rowBytes) {
      if (rows.readBigUInt64LE(at) !== ino) continue;
      const synced = rows.readBigUInt64LE(at + 8);
      return Number(synced < size ? synced : size);
    }
    return undefined;
  }

  close(): void {
    closeSync(this.#file);
  }
}
