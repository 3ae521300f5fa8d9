import { nowMs } from '../history/instant.js';
import type { HistoryWriter } from '../history/writer.js';
import type { Plan } from '../plan.js';
import { host, until } from '../server-talk.js';
import { ClusterHand, type Hand } from './hand.js';
import { isWhole, masterOf, type Member, membersIn, viewOf } from './members.js';
import { ClusterNode } from './node.js';

const mastersCount = 3;
const slotsCount = 16_384;
/** More partitions than that no campaign has. */
const partitionsMax = 64;
const promoteMsMax = 30_000;
const settleMsMax = 60_000;
const migrateMs = 5_000;

export interface ClusterParts {
  readonly plan: Pick<Plan, 'appendonly'>;
  readonly writer: Pick<HistoryWriter, 'note'>;
  /** The hash tag of a partition: its slot is where all its keys are. */
  readonly tagOf: (partition: number) => string;
}

type Phase = 'frozen' | 'killed' | 'thawed' | 'started' | 'demoted' | 'restarted';

/**
 * A Redis Cluster: three masters, and a replica of each that takes over when its master is gone. What it knows of who
 * serves what is as of the last fault that it was told to make, and nobody else moves anything.
 */
export class Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly #parts: ClusterParts;
  readonly #slots = new Map<number, number>();
  readonly #away = new Set<ClusterNode>();
  #members: readonly Member[] = [];

  private constructor(nodes: readonly ClusterNode[], parts: ClusterParts) {
    this.nodes = nodes;
    this.#parts = parts;
  }

  /** Resolves when all know one another, and the replicas are in sync. */
  static async open(parts: ClusterParts): Promise<Cluster> {
    const launched = await Promise.allSettled(
      Array.from({ length: 2 * mastersCount }, () => ClusterNode.launch(parts.plan)),
    );
    const nodes = launched.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    try {
      for (const one of launched) if (one.status === 'rejected') throw one.reason;
      const cluster = new Cluster(nodes, parts);
      await cluster.#join();
      return cluster;
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop()));
      throw error;
    }
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(({ address }) => address).join()}`;
  }

  get masters(): readonly ClusterNode[] {
    return this.#members.filter(({ slots }) => slots.length > 0).map(({ id }) => this.#nodeOf(id));
  }

  /** The numbers of all partitions that are there, whether the queue has them or not yet. */
  partitionsOf(node: ClusterNode): number[] {
    return [...this.#slots].filter(([, slot]) => this.#servedBy(slot) === node).map(([partition]) => partition);
  }

  masterOf(partition: number): ClusterNode {
    const slot = this.#slots.get(partition);
    const node = slot === undefined ? undefined : this.#servedBy(slot);
    if (node === undefined) throw new Error(`no node of the cluster serves partition ${partition}`);
    return node;
  }

  newHand(purpose: string, timeoutMs: number): Hand {
    const nodeFor = (key: string | undefined): ClusterNode | undefined => {
      const tag = key === undefined ? undefined : /\{[^}]+:(\d+)\}/.exec(key)?.[1];
      return tag === undefined ? this.nodes.find((node) => !this.#away.has(node)) : this.masterOf(Number(tag));
    };
    return new ClusterHand({ purpose, timeoutMs, nodeFor });
  }

  /** The master is frozen or killed, and its replica takes over. Resolves with that, which serves all it had. */
  async failOver(old: ClusterNode, how: 'freeze' | 'kill'): Promise<ClusterNode> {
    const partitions = this.partitionsOf(old);
    const heir = this.#nodeOf(this.#members.find(({ masterId }) => masterId === old.id)?.id);
    const goneAtMs = nowMs();
    this.#away.add(old);
    await old.server.kill(how === 'freeze' ? 'SIGSTOP' : 'SIGKILL');
    this.#note(old, how === 'freeze' ? 'frozen' : 'killed');
    await until(
      async () => hasTakenOver(await heir.tell('CLUSTER NODES'), heir),
      'the replica takes over',
      promoteMsMax,
    );
    const tookMs = Math.round(nowMs() - goneAtMs);
    const [from, to] = [old.address, heir.address];
    this.#parts.writer.note({ what: 'failover', from, to, tookMs, partitions });
    await this.#look(heir);
    return heir;
  }

  /** It is back, and takes itself for a master until it hears of the other. */
  async bringBack(old: ClusterNode, how: 'freeze' | 'kill'): Promise<void> {
    await (how === 'freeze' ? old.server.kill('SIGCONT') : old.server.start());
    this.#note(old, how === 'freeze' ? 'thawed' : 'started');
    await until(
      async () => (await old.tell('INFO replication')).includes('role:slave'),
      'it is a replica',
      settleMsMax,
    );
    this.#note(old, 'demoted');
    this.#away.delete(old);
    await this.settled();
  }

  /** Ended in good order and started at once, before the others miss it: it has its data, and no script. */
  async restart(node: ClusterNode): Promise<void> {
    this.#away.add(node);
    await node.server.restart();
    this.#note(node, 'restarted');
    this.#away.delete(node);
    await this.settled();
  }

  /** With its keys, one after the other; `between` is waited for before each. */
  async moveSlot(partition: number, to: ClusterNode, between: () => Promise<void>): Promise<void> {
    const slot = this.#slots.get(partition) ?? 0;
    const from = this.masterOf(partition);
    await to.send('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    for (;;) {
      await between();
      const keys = (await from.send('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[];
      if (keys.length === 0) break;
      await from.send('MIGRATE', host, to.port, '', 0, migrateMs, 'KEYS', ...keys);
    }
    for (const node of [to, from]) await node.send('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await this.settled();
  }

  /** All nodes agree on who serves what, and every master has its replica in sync. */
  async settled(): Promise<void> {
    await until(() => this.#isSettled(), 'the nodes of the cluster agree', settleMsMax);
    await this.#look(this.nodes[0] as ClusterNode);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #join(): Promise<void> {
    const { nodes } = this;
    const [first] = nodes as [ClusterNode];
    const [masters, replicas] = [nodes.slice(0, mastersCount), nodes.slice(mastersCount)];
    await Promise.all(nodes.map((node, at) => node.send('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)));
    await Promise.all(masters.map((node, at) => node.send('CLUSTER', 'ADDSLOTSRANGE', ...rangeOf(at))));
    for (const node of nodes.slice(1)) await node.send('CLUSTER', 'MEET', host, first.port);
    await until(() => this.#knowOneAnother(), 'the nodes know one another', settleMsMax);
    await Promise.all(replicas.map((node, at) => node.send('CLUSTER', 'REPLICATE', masters[at]?.id ?? '')));
    await this.settled();
    for (let partition = 0; partition < partitionsMax; partition += 1) {
      this.#slots.set(partition, Number(await first.send('CLUSTER', 'KEYSLOT', this.#parts.tagOf(partition))));
    }
  }

  async #knowOneAnother(): Promise<boolean> {
    const views = await this.#views();
    return views.every((members) => members.length === this.nodes.length && members.every(({ isWell }) => isWell));
  }

  async #isSettled(): Promise<boolean> {
    const views = await this.#views();
    const [first = ''] = views.map(viewOf);
    if (!views.every((members) => isWhole(members, mastersCount) && viewOf(members) === first)) return false;
    const states = await Promise.all(this.nodes.map((node) => node.tell('CLUSTER INFO')));
    if (!states.every((text) => text.includes('cluster_state:ok'))) return false;
    const roles = await Promise.all(this.nodes.map((node) => node.tell('INFO replication')));
    return roles.every((text) => /^master_link_status:up|^slave0:.*state=online,offset=\d+,lag=[01]\b/m.test(text));
  }

  #views(): Promise<Member[][]> {
    return Promise.all(this.nodes.map(async (node) => membersIn(await node.tell('CLUSTER NODES'))));
  }

  async #look(asked: ClusterNode): Promise<void> {
    const asks = async (): Promise<boolean> => {
      const members = membersIn(await asked.tell('CLUSTER NODES'));
      if (members.length > 0) this.#members = members;
      return members.length > 0;
    };
    await until(asks, `${asked.address} tells of the cluster`, settleMsMax);
  }

  #servedBy(slot: number): ClusterNode | undefined {
    const member = masterOf(this.#members, slot);
    return member && this.#nodeOf(member.id);
  }

  #nodeOf(id: string | undefined): ClusterNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`there is no node ${id} in the cluster`);
    return node;
  }

  #note(node: ClusterNode, phase: Phase): void {
    this.#parts.writer.note({ what: 'server', address: node.address, phase });
  }
}

/** By its own word: it is a master, serves slots, and so takes writes. */
function hasTakenOver(text: string, { id }: ClusterNode): boolean {
  return membersIn(text).some((member) => member.id === id && member.isMaster && member.slots.length > 0);
}

function rangeOf(place: number): [first: number, last: number] {
  const width = Math.ceil(slotsCount / mastersCount);
  return [place * width, Math.min(slotsCount, (place + 1) * width) - 1];
}
