import { scheduler } from 'node:timers/promises';
import { Queue } from '../../index.js';
import { RedisLink } from '../../testing.js';
import type { Hand } from './cluster/hand.js';
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
  readonly #clockLink: Hand;
  readonly #ended = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();

  constructor(arena: Arena, writer: HistoryWriter) {
    this.#arena = arena;
    this.#writer = writer;
    this.#clockLink = arena.newHand('clock', patienceMs);
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

  /** What lies in Redis now, in all partitions. */
  async noteLeft(): Promise<void> {
    const { link, plan, lockNodes, partitions } = this.#arena;
    const total = async (verb: string, name: string): Promise<number> => {
      const some = await Promise.all(partitions.map((at) => link.send([verb, this.#arena.key(name, at)])));
      return some.reduce((sum: number, one) => sum + Number(one), 0);
    };
    const [seconds] = (await link.send(['TIME'])) as string[];
    const beats = await this.#beats();
    const silent = beats.filter((beat) => Number(seconds) * 1000 - Number(beat.split(' ')[1]) > 3 * plan.leaseMs);
    const lock = this.#arena.key('lock');
    const votes = lockNodes.length === 0 ? [Number(await link.send(['EXISTS', lock]))] : await this.#votes(lock);
    this.#writer.note({
      what: 'left',
      keys: {
        due: await total('ZCARD', 'due'),
        tasks: await total('HLEN', 'tasks'),
        stream: await total('XLEN', 'stream'),
        live: await total('HLEN', 'live'),
        runs: await total('HLEN', 'runs'),
        expiry: await total('ZCARD', 'expiry'),
        cursors: await total('HLEN', 'cursors'),
        upcoming: await total('ZCARD', 'upcoming'),
        pending: await this.#pending(),
      },
      consumers: beats.length,
      silent: silent.length,
      lock: votes.reduce((sum, vote) => sum + vote, 0),
    });
  }

  /** How many consumers Redis knows. */
  async consumers(): Promise<number> {
    return (await this.#beats()).length;
  }

  async #beats(): Promise<string[]> {
    const { link, partitions } = this.#arena;
    const all = await Promise.all(partitions.map((at) => link.send(['HVALS', this.#arena.key('consumers', at)])));
    return all.flat() as string[];
  }

  async #pending(): Promise<number> {
    const { link, partitions } = this.#arena;
    const ask = (at: number): Promise<unknown> => link.send(['XPENDING', this.#arena.key('stream', at), 'workers']);
    const all = await Promise.all(partitions.map((at) => ask(at).catch(() => [0])));
    return all.reduce((sum: number, one) => sum + Number((one as unknown[])[0]), 0);
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
    await Promise.all([this.#queue.close(), this.#clockLink.stop()]);
  }

  /** Copies what Redis itself noted: the audit streams in their order, and the ends that only its lists tell. */
  async noteAudit(): Promise<void> {
    for (const partition of this.#arena.partitions) await this.#noteAuditOf(partition);
  }

  async #noteAuditOf(partition: number): Promise<void> {
    const note = (record: AuditRecord): void => this.#writer.note({ ...record, partition });
    for await (const { number, fields } of this.#entries('audit', partition)) note(auditOf(number, fields));
    for await (const { number, fields } of this.#entries('ended', partition)) {
      const verb = fields['state'] === 'expired' ? 'expired' : 'cancelled';
      note({ ...end(number, fields), redisMs: Number(fields['at']), verb, of: fields['entry'] ?? '' });
    }
    for await (const { number, fields } of this.#entries('dead', partition)) {
      if (fields['reason'] !== 'max_deliveries') continue; // the others are in the audit
      note({ ...end(number, fields), redisMs: Number(fields['at']), verb: 'bury' });
    }
  }

  async *#entries(name: string, partition: number): AsyncGenerator<{ number: string; fields: Record<string, string> }> {
    let from = '-';
    for (;;) {
      const range = ['XRANGE', this.#arena.key(name, partition), from, '+', 'COUNT', auditPage];
      const page = (await this.#arena.link.send(range)) as [string, string[]][];
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
      return { ...told, op: 'refused', by: fields['by'] ?? 'promote', term };
    case 'tick':
      return { ...told, op: 'tick', term, ids: (fields['ids'] ?? '').split(' ').filter((id) => id !== '') };
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
