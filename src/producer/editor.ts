import { createHash } from 'node:crypto';
import type { Duration } from '../duration.js';
import { assert, DuestreamError, invalid } from '../errors.js';
import { type Instant, whenOf } from '../instant.js';
import type { Observe } from '../events.js';
import { checkOptions } from '../options.js';
import { encodePayload } from '../payload.js';
import type { LaneCall } from '../redis/lanes.js';
import type { Partition, Partitions } from '../redis/partition.js';
import type { PartitionLanes } from '../redis/partition-lanes.js';
import { cancel, get, pause, reschedule, runNow, update } from '../redis/scripts.generated.js';
import { type TaskLimits, withPayload } from '../task.js';
import type { AlreadySettled, CancelResult, RescheduleResult, RunNowResult, UpdateResult, Waiting } from './results.js';
import { askWhereItIs, type TaskPlace } from './task-place.js';

export interface EditorParts {
  queue: string;
  partitions: Partitions;
  /** The same, for what only reads. */
  readable: Partitions;
  lanes: PartitionLanes;
  limits: TaskLimits;
  observe: Observe;
}

/** No leader's call. */
const anybody = { term: '', token: '' };

/** What can be done to a task that was added: each one script, repeated safely while its reply is lost. */
export class Editor {
  readonly #partitions: Partitions;
  readonly #readable: Partitions;
  readonly #lanes: PartitionLanes;
  readonly #limits: TaskLimits;
  readonly #queue: string;
  readonly #observe: Observe;

  constructor(parts: EditorParts) {
    this.#partitions = parts.partitions;
    this.#readable = parts.readable;
    this.#lanes = parts.lanes;
    this.#limits = parts.limits;
    this.#queue = parts.queue;
    this.#observe = parts.observe;
  }

  async setPaused(paused: 0 | 1): Promise<void> {
    const { text } = this.#partitions.layout;
    const set = this.#partitions.all.map((partition) =>
      this.#lanes.of(partition).call(({ timeoutMs }) => partition.run(pause, { paused }, { timeoutMs })),
    );
    const answers = await Promise.allSettled(set);
    if (this.#partitions.layout.text !== text) return this.setPaused(paused); // it has grown: there are more
    const failed = answers.flatMap((one, at) =>
      one.status === 'rejected' ? [{ at, error: one.reason as unknown }] : [],
    );
    if (failed.length === answers.length) throw failed[0]?.error;
    if (failed.length === 0) return;
    const where = failed.map(({ at }) => at).join(', ');
    const message = `not on partition ${where}, which could not be reached; on the others it is done: repeat the call`;
    throw new DuestreamError('ERR_OUTCOME_UNKNOWN', message, { cause: failed[0]?.error });
  }

  async cancel(place: TaskPlace): Promise<CancelResult> {
    const { id } = place;
    const reply = await this.#write(place, (call, partition) =>
      partition.run(cancel, { ...call, ...anybody, id }, call),
    );
    assert(reply.status !== 'stale_term', 'cancel: refused for a term it did not name');
    if (reply.status !== 'ok') return refusal(id, reply);
    this.#observe({ type: 'settled', queue: this.#queue, name: reply.name, outcome: 'cancelled' });
    return { id, status: 'cancelled', was: reply.was as Waiting };
  }

  async reschedule(place: TaskPlace, to: { in?: Duration; at?: Instant }): Promise<RescheduleResult> {
    if (typeof to !== 'object' || to === null || (to.in === undefined && to.at === undefined))
      throw invalid('reschedule needs { in } or { at }');
    checkOptions(to, ['in', 'at']);
    const { id } = place;
    const when = whenOf(to);
    const reply = await this.#write(place, (call, partition) => partition.run(reschedule, { ...call, id, when }, call));
    if (reply.status === 'ok') return { id, status: 'rescheduled', due: reply.dueMs };
    return reply.status === 'active' ? { id, status: 'active' } : refusal(id, reply);
  }

  async runNow(place: TaskPlace): Promise<RunNowResult> {
    const { id } = place;
    const reply = await this.#write(place, (call, partition) => partition.run(runNow, { ...call, id }, call));
    if (reply.status === 'ok') return { id, status: 'ready', was: reply.was as Waiting };
    if (reply.status === 'paused' || reply.status === 'waiting') return { id, status: reply.status };
    return refusal(id, reply);
  }

  /** Reads the record, changes it here, and writes it if nobody else did meanwhile: scripts never re-encode one. */
  async update(place: TaskPlace, change: { payload: unknown }): Promise<UpdateResult> {
    if (typeof change !== 'object' || change === null) throw invalid('update needs { payload }');
    checkOptions(change, ['payload']);
    const json = encodePayload(change.payload, { maxBytes: this.#limits.payloadBytesMax });
    const at = { partitions: this.#partitions, readable: this.#readable };
    return askWhereItIs(place, at, (partition) => this.#replace(place.id, json, partition));
  }

  async #replace(id: string, json: string, partition: Partition): Promise<UpdateResult> {
    for (let tries = 0; tries < 10; tries += 1) {
      const there = await (this.#readable.all[partition.index] as Partition).run(get, { id });
      if (there.status !== 'ok') return { id, status: 'not_found' };
      const was = there.record;
      const edit = { id, wasSha1: createHash('sha1').update(was).digest('hex'), record: withPayload(was, json) };
      const reply = await this.#lanes.of(partition).call((call) => partition.run(update, { ...call, ...edit }, call));
      if (reply.status === 'ok') return { id, status: 'updated' };
      if (reply.status === 'not_found') return { id, status: 'not_found' };
      assert(reply.status === 'changed', `update: ${reply.status}`);
    }
    throw new DuestreamError(
      'ERR_REDIS_REPLY',
      `the task ${id} is being changed by others all the time: try again later`,
    );
  }

  #write<R extends { status: string }>(
    place: TaskPlace,
    write: (call: LaneCall, partition: Partition) => Promise<R>,
  ): Promise<R> {
    const at = { partitions: this.#partitions, readable: this.#readable };
    return askWhereItIs(place, at, (partition) => this.#lanes.of(partition).call((call) => write(call, partition)));
  }
}

type Refusal = { status: 'not_found' } | { status: 'settled'; state: string } | { status: 'late_call' };

function refusal(id: string, reply: Refusal): { id: string; status: 'not_found' } | AlreadySettled {
  assert(reply.status !== 'late_call', 'a call of ours was overtaken on its own lane');
  if (reply.status === 'not_found') return { id, status: 'not_found' };
  return { id, status: 'settled', state: reply.state as AlreadySettled['state'] };
}
