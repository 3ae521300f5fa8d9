import { randomBytes, randomFillSync } from 'node:crypto';

/** A number from 0 (included) to 1 (excluded): jitter and backoff draw from it. Tests hand in their own. */
export type Random = () => number;

export const systemRandom: Random = Math.random;

const idBytes = 11;
const idLength = 14;
const pool = Buffer.alloc(idBytes * 256);
let poolUsed = pool.length;

/**
 * 14 characters, 84 random bits: a task id. Enough, for it has to differ only from those of its partition that live; and with
 * what Redis adds it takes 16 bytes, a longer one 24 or 32. Drawn from a pool, for a call to the system per id would show.
 */
export function newTaskId(): string {
  if (poolUsed === pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  poolUsed += idBytes;
  const id = pool.toString('base64url', poolUsed - idBytes, poolUsed).slice(0, idLength);
  return id.startsWith('-') ? `_${id.slice(1)}` : id; // one that starts with a dash reads as a flag
}

/** 16 characters, 96 random bits: a leader's token, a consumer's name, a lane. */
export function newToken(): string {
  return randomBytes(12).toString('base64url');
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A task id that `fits` accepts: the same head with other ends, of which each that fits is as likely as any other. */
export function newTaskIdThat(fits: (head: string, end: string) => boolean): string {
  for (;;) {
    const id = newTaskId();
    const head = id.slice(0, -2);
    const first = alphabet.indexOf(id.slice(-2, -1)) * 64 + alphabet.indexOf(id.slice(-1));
    for (let tries = 0; tries < 4096; tries += 1) {
      const end = (first + tries) % 4096;
      const text = alphabet.charAt(end >> 6) + alphabet.charAt(end & 63);
      if (fits(head, text)) return head + text;
    }
  }
}
