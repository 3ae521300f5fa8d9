import type { Partition } from '../redis/partition.js';
import { cancel, get } from '../redis/scripts.generated.js';
import { occurrenceId } from '../schedule/definition.js';
import type { Reign } from './duty.js';

/** What has become of the occurrences of a partition's schedules, and the end of those that are to make room. */
export class Occurrences {
  readonly #partition: Partition;

  constructor(partition: Partition) {
    this.#partition = partition;
  }

  /** `open`: it is not settled yet. `settled`: it is, and it is no dead letter. */
  async endOf(schedule: string, nominalMs: number): Promise<'open' | 'dead' | 'settled'> {
    const reply = await this.#partition.run(get, { id: occurrenceId(schedule, nominalMs) });
    if (reply.status === 'ok') return 'open';
    return reply.status === 'settled' && reply.state === 'dead' ? 'dead' : 'settled';
  }

  /** By the term we lead in, as all that a leader writes. */
  async cancel(id: string, { term, token, refused }: Reign): Promise<void> {
    const reply = await this.#partition.run(cancel, { lane: '', call: 0, id, term: String(term), token });
    if (reply.status === 'stale_term') refused('schedule');
  }
}
