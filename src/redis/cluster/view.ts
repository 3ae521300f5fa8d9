import type { Clock } from '../../clock.js';
import { deadline } from '../deadlines.js';
import { isErrorReply, Life } from '../life.js';
import type { Reply } from '../reply.js';
import { wrongKind } from '../server-kind.js';
import type { ClusterAddress } from './cluster-options.js';
import { SlotMap } from './slot-map.js';

/** What one node makes of its cluster. */
export interface View {
  readonly map: SlotMap;
  /** Whether it is in touch with most of the masters: one that is cut off goes on telling what once was. */
  readonly isWell: boolean;
  /** Grows with every failover and every slot that moves: of two views the one with the greater is the newer. */
  readonly epoch: number;
}

/** A question to one node, on a connection of its own: it waits for nothing that is under way, and costs nothing else. */
export class Question {
  readonly answer: Promise<View>;
  readonly #life: Life;

  constructor(
    node: string,
    { cluster, clock, timeoutMs }: { cluster: ClusterAddress; clock: Clock; timeoutMs: number },
  ) {
    this.#life = new Life({
      target: { shown: node, kind: 'cluster', locate: () => Promise.resolve(cluster.serverAt(node)) },
      clock,
      probe: 'ECHO',
      expectsAnswers: () => false,
      onEnd: () => {},
    });
    const late = (): string => this.#life.delay?.message ?? `it did not answer within ${timeoutMs} ms`;
    const disarm = deadline(clock, timeoutMs, () => this.end(`${node}: ${late()}`));
    this.answer = this.#ask(node).finally(() => {
      disarm();
      this.end('answered');
    });
  }

  end(reason: string): void {
    this.#life.end(new Error(reason));
  }

  async #ask(node: string): Promise<View> {
    await this.#life.open();
    const { client } = this.#life;
    try {
      const [slots, info] = await Promise.all([
        client.sendCommand(['CLUSTER', 'SLOTS']),
        client.sendCommand(['CLUSTER', 'INFO']).catch(() => 'cluster_state:ok'), // may be forbidden
      ]);
      const map = new SlotMap(slots as Reply, node);
      const [, epoch = '0'] = /^cluster_current_epoch:(\d+)/m.exec(String(info)) ?? [];
      return { map, isWell: map.masters.size > 0 && String(info).includes('cluster_state:ok'), epoch: Number(epoch) };
    } catch (error) {
      if (error instanceof Error && isErrorReply(error) && error.message.includes('cluster support disabled')) {
        throw wrongKind('standalone', { shown: node, kind: 'cluster' }) ?? error;
      }
      throw this.#life.endedBy ?? error;
    }
  }
}
