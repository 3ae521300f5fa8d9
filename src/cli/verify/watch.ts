import { scheduler } from 'node:timers/promises';
import { Queue } from '../../index.js';
import { RedisLink } from '../../testing.js';
import { type Arena, queueName } from './arena.js';
import { nowMs } from './history/instant.js';
import type { AuditRecord } from './history/records.js';
import type { HistoryWriter } from './history/writer.js';

const everyMs = 100;
const patienceMs = 400;
const auditPage = '1000';

/** What is seen of Redis without any fault in between: its clock, its depths, who leads, and what is left at the end. */
export class Watch {
  readonly #arena: Arena;
  readonly #writer: HistoryWriter;
  readonly #queue: Queue;
  /** A reading that is late costs its connection: nothing else is asked on it. */
  readonly #clockLink: RedisLink;
  readonly #ended = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();

  constructor(arena: Arena, writer: HistoryWriter) {
    this.#arena = arena;
    this.#writer = writer;
    this.#clockLink = new RedisLink({ connection: arena.connection, purpose: 'clock', commandTimeoutMs: patienceMs });
    this.#queue = new Queue(queueName, {
      connection: arena.connection,
      prefix: arena.prefix,
      repeatFor: patienceMs,
      commandTimeout: patienceMs,
    });
  }

  start(): void {
    this.#watching = Promise.all([this.#every(() => this.#readClock()), this.#every(() => this.#readStats())]);
  }

  /** How many tasks have not come to their end; undefined when Redis does not say. */
  async unended(): Promise<number | undefined> {
    const stats = await this.#readStats().catch(() => undefined);
    return stats && stats.scheduled + stats.due + stats.ready + stats.active;
  }

  /** What lies in Redis now. */
  async noteLeft(): Promise<void> {
    const { link, plan, lockNodes } = this.#arena;
    const send = async (...words: string[]): Promise<number> => Number(await link.send(words));
    const key = (name: string): string => this.#arena.key(name);
    const pending = (await link.send(['XPENDING', key('stream'), 'workers']).catch(() => [0])) as unknown[];
    const [seconds] = (await link.send(['TIME'])) as string[];
    const beats = (await link.send(['HVALS', key('consumers')])) as string[];
    const silent = beats.filter((beat) => Number(seconds) * 1000 - Number(beat.split(' ')[1]) > 3 * plan.leaseMs);
    const votes = lockNodes.length === 0 ? [await send('EXISTS', key('lock'))] : await this.#votes(key('lock'));
    this.#writer.note({
      what: 'left',
      keys: {
        due: await send('ZCARD', key('due')),
        tasks: await send('HLEN', key('tasks')),
        stream: await send('XLEN', key('stream')),
        live: await send('HLEN', key('live')),
        runs: await send('HLEN', key('runs')),
        expiry: await send('ZCARD', key('expiry')),
        pending: Number(pending[0]),
      },
      consumers: beats.length,
      silent: silent.length,
      lock: votes.reduce((sum, vote) => sum + vote, 0),
    });
  }

  /** How many consumers Redis knows. */
  async consumers(): Promise<number> {
    return Number(await this.#arena.link.send(['HLEN', this.#arena.key('consumers')]));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
    await Promise.all([this.#queue.close(), this.#clockLink.stop()]);
  }

  /** Copies what Redis itself noted: the audit stream in its order, and the ends that only its lists tell. */
  async noteAudit(): Promise<void> {
    for await (const { number, fields } of this.#entries('audit')) this.#writer.note(auditOf(number, fields));
    for await (const { number, fields } of this.#entries('ended')) {
      const verb = fields['state'] === 'expired' ? 'expired' : 'cancelled';
      this.#writer.note({ ...end(number, fields), redisMs: Number(fields['at']), verb, of: fields['entry'] ?? '' });
    }
    for await (const { number, fields } of this.#entries('dead')) {
      if (fields['reason'] !== 'max_deliveries') continue; // the others are in the audit
      this.#writer.note({ ...end(number, fields), redisMs: Number(fields['at']), verb: 'bury' });
    }
  }

  async *#entries(name: string): AsyncGenerator<{ number: string; fields: Record<string, string> }> {
    let from = '-';
    for (;;) {
      const page = (await this.#arena.link.send(['XRANGE', this.#arena.key(name), from, '+', 'COUNT', auditPage])) as [
        string,
        string[],
      ][];
      for (const [number, flat] of page) yield { number, fields: pairs(flat) };
      const last = page.at(-1);
      if (last === undefined) return;
      from = `(${last[0]}`;
    }
  }

  async #votes(lock: string): Promise<number[]> {
    return Promise.all(
      this.#arena.lockNodes.map(async ({ connection }) => {
        const link = new RedisLink({ connection, purpose: 'lock node' });
        const votes = Number(await link.send(['EXISTS', lock]));
        await link.stop();
        return votes;
      }),
    );
  }

  async #readClock(): Promise<void> {
    const sentMs = nowMs();
    const [seconds, micros] = (await this.#clockLink.send(['TIME'])) as string[];
    const heardMs = nowMs();
    const redisMs = Number(seconds) * 1000 + Number(micros) / 1000;
    this.#writer.note({ what: 'clock', lowMs: redisMs - heardMs, highMs: redisMs - sentMs });
  }

  async #readStats(): Promise<Awaited<ReturnType<Queue['stats']>>> {
    const stats = await this.#queue.stats();
    const { scheduled, due, ready, active, dead, counts, leader } = stats;
    if (leader !== null) this.#arena.leadingPid = leader.pid;
    this.#writer.note({ what: 'snapshot', scheduled, due, ready, active, dead, counts });
    return stats;
  }

  async #every(look: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await look().catch(() => {}); // Redis is away: there is nothing to see
      await scheduler.wait(everyMs, { signal }).catch(() => {});
    }
  }
}

function pairs(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) fields[flat[at] ?? ''] = flat[at + 1] ?? '';
  return fields;
}

function auditOf(number: string, fields: Record<string, string>): AuditRecord {
  const told = { what: 'audit', redisMs: Number(number.split('-')[0]), entry: number } as const;
  const term = Number(fields['term']);
  switch (fields['op']) {
    case 'lead':
      return { ...told, op: 'lead', term, leader: fields['by'] ?? '' };
    case 'resign':
      return { ...told, op: 'resign', term };
    case 'refused':
      return { ...told, op: 'refused', by: 'promote', term };
    case 'promote': {
      const ids = (fields['lives'] ?? '').split(' ').filter((_, at) => at % 2 === 0);
      return { ...told, op: 'promote', term: fields['term'] === '' ? null : term, ids };
    }
    default: {
      const verb = fields['op'] as 'complete' | 'retry' | 'bury';
      return {
        ...end(number, fields),
        verb,
        of: fields['of'] ?? '',
        count: Number(fields['count']),
        consumer: fields['by'] ?? '',
      };
    }
  }
}

type End = Extract<AuditRecord, { op: 'end' }>;

function end(number: string, fields: Record<string, string>): Omit<End, 'verb'> {
  const redisMs = Number(number.split('-')[0]);
  return { what: 'audit', redisMs, entry: number, op: 'end', id: fields['id'] ?? '', of: '', count: 0, consumer: '' };
}
