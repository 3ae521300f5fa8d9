import { DuestreamError } from '../errors.js';
import { group } from '../keys.js';
import type { Link } from '../redis/link.js';
import type { Reply } from '../redis/reply.js';

/** An entry as it was read: nothing of it is to be trusted before it is opened. */
export interface Unopened {
  readonly entry: string;
  readonly id: string;
  readonly dueMs: number;
}

const blockMs = 5_000;

/**
 * Reads up to `count` entries as soon as there are any; none when none came for 5 s. `no_group`: the group is not there.
 * `interrupted`: the read was ended by us, or the stream was deleted under it.
 */
export async function waitingRead(
  reader: Link,
  of: { stream: string; consumer: string; count: number; life: number },
): Promise<readonly Unopened[] | 'no_group' | 'interrupted'> {
  const words = ['XREADGROUP', 'GROUP', group, of.consumer, 'COUNT', String(of.count), 'BLOCK', String(blockMs)];
  try {
    return entriesOf(await reader.block([...words, 'STREAMS', of.stream, '>'], blockMs, { life: of.life }));
  } catch (error) {
    if (!(error instanceof DuestreamError) || error.code !== 'ERR_REDIS_REPLY') throw error;
    if (error.message.startsWith('NOGROUP')) return 'no_group';
    if (error.message.startsWith('UNBLOCKED')) return 'interrupted';
    throw error;
  }
}

/** [[stream, [[entry, ['id', id, 'due', due]], …]]], or null when nothing came in time. */
function entriesOf(reply: Reply): Unopened[] {
  if (reply === null) return [];
  const [[, entries]] = reply as [[string, [string, string[]][]]];
  return entries.map(([entry, [, id, , due]]) => ({ entry, id: id ?? '', dueMs: wholeMs(Number(due)) }));
}

/** Anybody may XADD anything; open ends what is not ours, whatever its due time. */
function wholeMs(due: number): number {
  return Number.isSafeInteger(due) ? due : 0;
}
