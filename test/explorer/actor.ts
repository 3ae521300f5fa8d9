import { BugError } from '../../src/errors.js';
import { Partitions } from '../../src/redis/partition.js';
import { fixedLayout } from '../support/fixed-layout.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { type Handed, Violation } from './case.js';
import type { Draws } from './draws.js';
import { type Outcome, type Request, Wire } from './wire.js';

/** What actors share with the world they live in. */
export interface Stage {
  readonly draws: Draws;
  readonly met: (what: string) => void;
  readonly violated: (violation: Violation) => void;
  readonly onLost: (wire: Wire, onTheWay: Request[]) => void;
  readonly nextLife: () => number;
  /** Whether this life's add has happened, in the present of Redis; or ever: a failover may have undone it. */
  readonly isAccepted: (n: number) => boolean;
  readonly everAccepted: ReadonlySet<number>;
  readonly toldNever: Set<number>;
  readonly finish: (serial: number, how: 'returned' | 'failed') => void;
}

/**
 * One process of the product, with a clock and connections of its own: real stations of `src/`, and the scheduler for a
 * network. Frozen, it does nothing and hears nothing, while its calls arrive; crashed, it is never heard of again.
 */
export class Actor {
  readonly name: string;
  readonly stage: Stage;
  readonly clock: VirtualClock = new VirtualClock();
  readonly wires: Wire[] = [];
  readonly partitions: Partitions;
  /** What was made startable for it, and has not started. */
  handed: (Handed & { readonly untilMs: number })[] = [];
  /** For how long it has been frozen. */
  frozenMs: number | undefined;
  /** How long its deliveries last without a beat. */
  readonly leaseMs: number = 0;
  /** Ended in order: another takes its place. */
  isOver = false;
  #inbox: (() => void)[] = [];

  constructor(name: string, stage: Stage) {
    this.name = name;
    this.stage = stage;
    this.partitions = new Partitions({
      queue: 'q',
      prefix: 'explorer',
      layout: fixedLayout(),
      callerFor: () => this.wire('commands'),
    });
  }

  protected wire(purpose: string): Wire {
    const wire = new Wire({ name: `${this.name}.${purpose}`, clock: this.clock, onLost: this.stage.onLost });
    this.wires.push(wire);
    return wire;
  }

  /** The answer to a call of its own has come. */
  give(wire: Wire, request: Request, of: { outcome: Outcome; handed: readonly Handed[] }): void {
    const hear = (): void => {
      if (!wire.settle(request, of.outcome)) return;
      for (const one of of.handed) this.handed.push({ ...one, untilMs: request.sentAtMs + this.leaseMs });
    };
    if (this.frozenMs === undefined) return hear();
    request.hasRun = true;
    this.#inbox.push(hear);
  }

  freeze(): void {
    this.frozenMs ??= 0;
  }

  /** Goes on: what fell due fires, and what came is heard; whichever is first. */
  async thaw(timersFirst: boolean): Promise<void> {
    const { frozenMs } = this;
    if (frozenMs === undefined) return;
    this.frozenMs = undefined;
    if (timersFirst) await this.clock.freeze(frozenMs);
    for (const hear of this.#inbox.splice(0)) hear();
    if (!timersFirst) await this.clock.freeze(frozenMs);
  }

  async pass(ms: number): Promise<void> {
    if (this.frozenMs === undefined) await this.clock.advance(ms);
    else this.frozenMs += ms;
  }

  /** A bug that the product itself has found. */
  protected failed(error: unknown): void {
    if (error instanceof BugError) this.stage.violated(new Violation('bug-of-ours', error.message));
    else if (error instanceof Violation) this.stage.violated(error);
  }
}
