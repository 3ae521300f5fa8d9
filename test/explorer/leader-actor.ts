import { Ager } from '../../src/leader/ager.js';
import { EpochClaim } from '../../src/leader/claim.js';
import { OneServer } from '../../src/redis/one-server.js';
import type { Duty } from '../../src/leader/duty.js';
import { Expirer } from '../../src/leader/expirer.js';
import { Promoter } from '../../src/leader/promoter.js';
import { Reaper } from '../../src/leader/reaper.js';
import { Sweeper } from '../../src/leader/sweeper.js';
import { Actor, type Stage } from './actor.js';

export const dutyNames = ['promote', 'expire', 'sweep', 'reap', 'age'] as const;
export type DutyName = (typeof dutyNames)[number];

/**
 * A process that leads, with the real claim and the real duties; without the vote, which gives liveness only. So each of
 * them may win at any time, and goes on until it is refused: the fence alone must keep them apart.
 */
export class LeaderActor extends Actor {
  seat: { readonly term: number; readonly token: string } | undefined;
  readonly #claim: EpochClaim;
  readonly #duties: ReadonlyMap<string, Duty>;
  readonly #underWay = new Set<string>();

  constructor(name: string, stage: Stage) {
    super(name, stage);
    const partition = this.partitions.home;
    const observe = (): void => {};
    const { clock } = this;
    const identity = { id: name, host: 'here', pid: 1 };
    this.#claim = new EpochClaim({ partition, identity, ttlMs: 5_000, oneServer: new OneServer(clock, () => []) });
    const duties: Duty[] = [
      new Promoter({ partition, clock, observe }),
      new Expirer({ partition, observe }),
      new Sweeper({ partition, observe }),
      new Reaper({ partition }),
      new Ager({ partition }),
    ];
    this.#duties = new Map(duties.map((duty) => [duty.name, duty]));
  }

  bid(): void {
    this.#once('bid', async () => {
      const claimed = await this.#claim.take(await this.#claim.read());
      if (claimed.won) this.seat = claimed;
    });
  }

  resign(): void {
    const { seat } = this;
    if (seat === undefined) return;
    this.#once('resign', async () => {
      this.seat = undefined;
      await this.#claim.resign({ role: 'leader', ...seat, trustedUntilMs: 0 });
    });
  }

  work(name: DutyName): void {
    const { seat } = this;
    if (seat === undefined) return;
    this.#once(name, async () => {
      const refused = (): void => {
        if (this.seat === seat) this.seat = undefined;
      };
      await this.#duties.get(name)?.tick({ ...seat, refused });
    });
  }

  #once(what: string, work: () => Promise<void>): void {
    if (this.frozenMs !== undefined || this.#underWay.has(what)) return;
    this.#underWay.add(what);
    void work()
      .catch((error: unknown) => this.failed(error))
      .finally(() => this.#underWay.delete(what));
  }
}
