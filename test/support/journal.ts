import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export interface Line {
  readonly what: 'start' | 'end';
  readonly id: string;
  readonly attempt: number;
  readonly delivery: number;
  readonly due: number;
  readonly at: number;
  readonly pid: number;
}

/** What the handlers of support/handlers/journal.mjs wrote, in the order it happened. */
export class Journal {
  readonly path: string;
  readonly gate: string;

  constructor(folder: string) {
    this.path = join(folder, 'journal');
    this.gate = join(folder, 'gate');
    writeFileSync(this.path, '');
  }

  /** Lets the gated handlers end: of all processes, or of one. */
  openGate(pid?: number): void {
    writeFileSync(pid === undefined ? this.gate : `${this.gate}.${pid}`, '');
  }

  lines(): Line[] {
    const whole = readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
    return whole.map((line) => {
      const [what, id = '', attempt, delivery, due, at, pid] = line.split(' ');
      return {
        what: what === 'end' ? 'end' : 'start',
        id,
        attempt: Number(attempt),
        delivery: Number(delivery),
        due: Number(due),
        at: Number(at),
        pid: Number(pid),
      };
    });
  }

  starts(): Line[] {
    return this.lines().filter(({ what }) => what === 'start');
  }

  /** What this process has begun and not ended. */
  atWork(pid: number): Line[] {
    const open = new Map<string, Line>();
    for (const line of this.lines()) {
      if (line.pid !== pid) continue;
      if (line.what === 'start') open.set(`${line.id}/${line.delivery}`, line);
      else open.delete(`${line.id}/${line.delivery}`);
    }
    return [...open.values()];
  }

  /** All starts of an attempt but its first. */
  secondStarts(): Line[] {
    const seen = new Set<string>();
    return this.starts().filter(({ id, attempt }) => seen.size === seen.add(`${id} ${attempt}`).size);
  }
}

export interface Expected {
  readonly tasks: readonly { id: string; name: string }[];
  readonly recovered: number | undefined;
  /** Processes that were frozen, each maybe right between its last look at the lease and the handler's first line. */
  readonly frozen?: number;
}

/** P1, P2, P4: every attempt ran, none before it was due, and each second start has its lost lease. */
export function expectExplained(journal: Journal, { tasks, recovered = 0, frozen = 0 }: Expected): void {
  const starts = journal.starts();
  expect(starts.filter(({ due, at }) => at < due)).toEqual([]);
  const attempts = tasks.flatMap(({ id, name }) => (name === 'flaky' ? [`${id} 1`, `${id} 2`] : [`${id} 1`]));
  const ran = new Set(starts.map(({ id, attempt }) => `${id} ${attempt}`));
  const missing = attempts.filter((one) => !ran.has(one));
  expect({ ran: ran.size, missing: missing.slice(0, 10) }).toEqual({ ran: attempts.length, missing: [] });
  const second = journal.secondStarts();
  expect(second.filter(({ delivery }) => delivery === 1).slice(frozen)).toEqual([]);
  expect(second.length).toBeLessThanOrEqual(recovered);
}
