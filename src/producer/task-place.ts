import { checkIsObject } from '../options.js';
import { crc16, partitionOf } from '../partition-of.js';
import { newTaskId, newTaskIdThat } from '../random.js';
import type { Partition, Partitions } from '../redis/partition.js';
import { type GetReply, get } from '../redis/scripts.generated.js';
import { checkText, decodeRecord, type TaskLimits } from '../task.js';

/** What says where a task is, beside its id. */
export interface TaskKey {
  /** The key it was added with. Needed when an id of its own is not unique among all keys; else it is found sooner. */
  readonly key?: string;
}

/** A task, as its callers name it: by its id, and by its key when it has both of its own. */
export interface TaskPlace {
  readonly id: string;
  /** Undefined: it has none, or it is not known. */
  readonly key: string | undefined;
}

/** Checked: what users name a task by. */
export function taskPlace(id: unknown, where: TaskKey | undefined, { idBytesMax }: TaskLimits): TaskPlace {
  return { id: checkText(id, 'id', idBytesMax), key: checkedKey(where, { idBytesMax }) };
}

/** The key in it, if there is one. */
export function checkedKey(where: TaskKey = {}, { idBytesMax }: Pick<TaskLimits, 'idBytesMax'>): string | undefined {
  checkIsObject(where); // a task or a letter will do: it has its key
  return where.key === undefined ? undefined : checkText(where.key, 'key', idBytesMax);
}

/** A new id; of a task with a key it leads to that key's partition, so that it is found without the key. */
export function newIdFor(key: string | undefined, partitions: number): string {
  if (key === undefined || partitions === 1) return newTaskId();
  const partition = partitionOf(key, partitions);
  let [of, crc] = ['', 0];
  return newTaskIdThat((head, end) => {
    if (head !== of) [of, crc] = [head, crc16(head)];
    return crc16(end, crc) % partitions === partition;
  });
}

/** The writing partitions of a queue, and the same for what only reads. */
export interface Places {
  readonly partitions: Partitions;
  readonly readable: Partitions;
}

/**
 * Asks where the task belongs, and, with a key, where it may have belonged before the queue grew: then only its own task is
 * meant. Without a key it may lie anywhere, for it may have one of its own: when it does not live where its id says, all
 * others are looked at, and the one that has it is asked.
 */
export async function askWhereItIs<R extends { readonly status: string }>(
  place: TaskPlace,
  places: Places,
  ask: (partition: Partition) => Promise<R>,
): Promise<R> {
  const { partitions } = places;
  const { text } = partitions.layout;
  const answer = await (place.key === undefined ? askById(place.id, places, ask) : askByKey(place, places, ask));
  const hasGrown = partitions.layout.text !== text && !isLiving(answer); // it was looked for where it is not added any more
  return hasGrown ? askWhereItIs(place, places, ask) : answer;
}

async function askByKey<R extends { readonly status: string }>(
  { id, key = id }: TaskPlace,
  { partitions, readable }: Places,
  ask: (partition: Partition) => Promise<R>,
): Promise<R> {
  const mayLive = new Set([partitions.of(key), ...partitions.formerOf(key)]);
  let ended: R | undefined;
  for (const partition of new Set([...mayLive, ...partitions.placesOf(key)])) {
    if (ended !== undefined && !mayLive.has(partition)) break;
    if (await isOfAnother(id, key, readable.all[partition.index] as Partition)) continue;
    const answer = await ask(partition);
    if (isLiving(answer)) return answer;
    if (answer.status === 'settled') ended ??= answer;
  }
  return ended ?? ({ status: 'not_found' } as R);
}

async function askById<R extends { readonly status: string }>(
  id: string,
  { partitions, readable }: Places,
  ask: (partition: Partition) => Promise<R>,
): Promise<R> {
  const first = partitions.of(id);
  const answer = await ask(first);
  if (isLiving(answer) || partitions.all.length === 1) return answer;
  const others = readable.all.filter(({ index }) => index !== first.index);
  const found = await findIn(others, { id, isKnown: answer.status === 'settled' });
  return found === undefined ? answer : ask(partitions.all[found] as Partition);
}

function isLiving({ status }: { readonly status: string }): boolean {
  return status !== 'not_found' && status !== 'settled';
}

/** Two keys may share a partition: a task that lives there under this id may be the other's. */
async function isOfAnother(id: string, key: string, partition: Partition): Promise<boolean> {
  const reply = await partition.run(get, { id });
  if (reply.status !== 'ok') return false;
  const decoded = decodeRecord(reply.record);
  return decoded.kind === 'record' && decoded.record.key !== key;
}

/** The number of the partition where this id lives, else, unless an end of it is known already, where it has ended. */
async function findIn(
  partitions: readonly Partition[],
  { id, isKnown }: { id: string; isKnown: boolean },
): Promise<number | undefined> {
  const replies = await Promise.all(partitions.map((partition) => partition.run(get, { id })));
  const where = (status: GetReply['status']): Partition | undefined =>
    partitions[replies.findIndex((reply) => reply.status === status)];
  return (where('ok') ?? (isKnown ? undefined : where('settled')))?.index;
}
