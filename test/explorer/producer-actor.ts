import { DuestreamError } from '../../src/errors.js';
import { Adders } from '../../src/producer/adders.js';
import { DeadLetters } from '../../src/producer/dead-letters.js';
import { Editor } from '../../src/producer/editor.js';
import { FormerPlaces } from '../../src/producer/former-places.js';
import { Mover } from '../../src/producer/mover.js';
import { toItem } from '../../src/producer/new-task.js';
import { PartitionLanes } from '../../src/redis/partition-lanes.js';
import { defaultLimits } from '../../src/task.js';
import { Actor, type Stage } from './actor.js';
import { Violation } from './case.js';
import { fragile } from './worker-actor.js';

export interface Wish {
  readonly id: string;
  readonly name: string;
  readonly inMs: number;
  readonly expiresInMs: number;
}

const underWayMax = 3;

/** A producer process: the stations behind a Queue, and what each call of theirs was told, held against what happened. */
export class ProducerActor extends Actor {
  readonly #adders: Adders;
  readonly #editor: Editor;
  readonly #dead: DeadLetters;
  #underWay = 0;

  constructor(name: string, stage: Stage) {
    super(name, stage);
    const { clock, partitions } = this;
    const observe = (): void => {};
    const patience = { repeatForMs: 10_000, tryMs: 2_000, lanesMax: 2 };
    const lanes = new PartitionLanes({ clock, random: stage.draws.fraction, ...patience });
    this.#editor = new Editor({ queue: 'q', partitions, readable: partitions, lanes, limits: defaultLimits, observe });
    const formerPlaces = new FormerPlaces(partitions);
    this.#adders = new Adders({ partitions, formerPlaces, lanes, clock, observe, replication: undefined });
    this.#dead = new DeadLetters({
      partitions,
      readable: partitions,
      lanes,
      mover: new Mover({ partitions, formerPlaces, lanes }),
      limits: defaultLimits,
      learn: async () => {},
    });
  }

  add(wishes: readonly Wish[]): void {
    this.#call(async () => {
      await Promise.all(wishes.map((wish) => this.#add(wish)));
    });
  }

  cancel(id: string): void {
    this.#call(() => this.#editor.cancel({ id, key: undefined }));
  }

  reschedule(id: string, inMs: number): void {
    this.#call(() => this.#editor.reschedule({ id, key: undefined }, { in: inMs }));
  }

  runNow(id: string): void {
    this.#call(() => this.#editor.runNow({ id, key: undefined }));
  }

  setPaused(paused: 0 | 1): void {
    this.#call(() => this.#editor.setPaused(paused));
  }

  replay(id: string): void {
    this.#call(() => this.#dead.replay(id));
  }

  async #add({ id, name, inMs, expiresInMs }: Wish): Promise<void> {
    const { nextLife, isAccepted, everAccepted, toldNever, violated } = this.stage;
    const n = nextLife();
    const expiry = expiresInMs > 0 ? { expiresIn: expiresInMs } : {};
    const item = toItem({ id, name, in: inMs, ...expiry, payload: [n, ...fragile] }, defaultLimits, 1);
    try {
      const status = await this.#adders.add(item);
      const isTrue = status === 'duplicate' ? !isAccepted(n) : everAccepted.has(n);
      if (!isTrue) violated(new Violation('told-the-truth', `${id} #${n} was called ${status}`));
      if (status === 'duplicate') toldNever.add(n);
    } catch (error) {
      if (!(error instanceof DuestreamError)) throw error;
      if (error.code === 'ERR_OUTCOME_UNKNOWN') this.stage.met('outcome unknown');
      if (error.code === 'ERR_REDIS_UNREACHABLE') toldNever.add(n);
      if (error.code === 'ERR_REDIS_UNREACHABLE' && everAccepted.has(n)) {
        violated(new Violation('told-the-truth', `${id} #${n} was called unreachable`));
      }
    }
  }

  #call(work: () => Promise<unknown>): void {
    if (this.frozenMs !== undefined || this.#underWay >= underWayMax) return;
    this.#underWay += 1;
    void work()
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        this.#underWay -= 1;
      });
  }
}
