import { type Clock, systemClock } from '../clock.js';
import { DuestreamError, messageOf } from '../errors.js';
import { type Random, systemRandom } from '../random.js';
import { type ConnectionOption, describeConnection, type RedisConnection } from './connection.js';
import { shownHost } from './hosts.js';
import type { Target } from './life.js';
import { Sentinel } from './sentinel.js';
import { type Sentinelled, sentinelled } from './sentinel-options.js';

const lookMs = 500;

/** An address, and how many Sentinels name it. */
interface Nomination {
  readonly connection: ConnectionOption;
  count: number;
}

/** By address. */
type Nominations = ReadonlyMap<string, Nomination>;

interface Watch {
  readonly address: string;
  readonly onMoved: (error: Error) => void;
}

/**
 * The master that Sentinels name. All are asked at once, and what most of them say counts: one that is cut off from the
 * others, or was down while they made another the master, goes on naming the old one.
 *
 * A former master that only slept still believes that it is the master when it wakes, and takes what it will lose, until
 * a Sentinel demotes it ten seconds later. So while connections are open the Sentinels are asked every half second, and
 * a connection to a server that fewer of them name than another is given up. When none answers, or they are divided,
 * it stays. One such look serves all connections of a process to the same place, and ends with the last of them.
 */
export class NamedMaster implements Target {
  readonly shown: string;
  readonly #parts: Sentinelled;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sentinels: readonly Sentinel[];
  readonly #watches = new Set<Watch>();
  #asking: Promise<Nominations> | undefined;
  #ended = new AbortController();

  constructor(
    parts: Sentinelled,
    { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
  ) {
    this.shown = parts.shown;
    this.#parts = parts;
    this.#clock = clock;
    this.#random = random;
    const keeps = (): boolean => this.#watches.size > 0;
    this.#sentinels = parts.hosts.map(
      (host) => new Sentinel({ connection: parts.sentinelAt(host), shown: shownHost(host), keeps, clock }),
    );
  }

  /** Takes a second at most. */
  async locate(): Promise<ConnectionOption> {
    return mostNamed(await this.#ask()).connection;
  }

  /** By INFO and not by ROLE, which is one of the commands that a user of Redis is often not allowed. */
  async confirm(client: RedisConnection): Promise<void> {
    const info = String(await client.sendCommand(['INFO', 'replication']));
    const role = /^role:(\w+)/m.exec(info)?.[1] ?? 'unknown';
    if (role !== 'master') throw new Error(`the Sentinels name a server whose role is ${role}`);
  }

  watch(connection: ConnectionOption, onMoved: (error: Error) => void): () => void {
    const watch = { address: describeConnection(connection), onMoved };
    this.#watches.add(watch);
    if (this.#watches.size === 1) this.#start();
    return () => {
      if (this.#watches.delete(watch) && this.#watches.size === 0) this.#stop();
    };
  }

  #start(): void {
    this.#ended = new AbortController();
    void this.#keepLooking(this.#ended.signal);
  }

  #stop(): void {
    this.#ended.abort();
    for (const sentinel of this.#sentinels) sentinel.rest();
  }

  async #keepLooking(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(lookMs * (0.75 + this.#random() / 2), signal);
      if (signal.aborted) return;
      const named = await this.#ask().catch(() => undefined);
      if (named) this.#tellMoved(named);
    }
  }

  #tellMoved(named: Nominations): void {
    const { connection, count } = mostNamed(named);
    const error = new Error(`the Sentinels name another master now, ${describeConnection(connection)}`);
    for (const { address, onMoved } of this.#watches) {
      if (count > (named.get(address)?.count ?? 0)) onMoved(error);
    }
  }

  /** Who asks meanwhile gets the same answer. */
  #ask(): Promise<Nominations> {
    this.#asking ??= this.#poll().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Decided as soon as more than half of them name the same; else when each has answered, or failed to. */
  #poll(): Promise<Nominations> {
    const { master, serverAt } = this.#parts;
    const named = new Map<string, Nomination>();
    return new Promise((resolve, reject) => {
      const asked = this.#sentinels.map(async (sentinel) => {
        const connection = serverAt(await sentinel.ask(master));
        const address = describeConnection(connection);
        const nomination = named.get(address) ?? { connection, count: 0 };
        named.set(address, nomination);
        nomination.count += 1;
        if (nomination.count > this.#sentinels.length / 2) resolve(named);
      });
      void Promise.allSettled(asked).then((outcomes) => {
        if (named.size > 0) return resolve(named);
        const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
        const reasons: unknown[] = failed.map(({ reason }) => reason as unknown);
        reject(unnamed(master, reasons));
      });
    });
  }
}

/** When none of them is a Sentinel, waiting does not mend it: the first says what to do. */
function unnamed(master: string, reasons: readonly unknown[]): Error {
  const causes = reasons.map((reason) => (reason instanceof Error ? reason.cause : undefined));
  const ofOthers = causes.filter((cause) => cause instanceof DuestreamError && cause.code === 'ERR_INVALID_ARGUMENT');
  if (ofOthers[0] && ofOthers.length === causes.length) return ofOthers[0] as DuestreamError;
  return new Error(`no Sentinel names the master ${master}: ${reasons.map(messageOf).join('; ')}`);
}

/** Of those that as many name, the one that was named first. */
function mostNamed(named: Nominations): Nomination {
  return [...named.values()].reduce((most, one) => (one.count > most.count ? one : most));
}

const byUrl = new Map<string, NamedMaster>();
const byOptions = new WeakMap<object, NamedMaster>();

/** One for all connections with the same URL or the same options object; undefined for those that need no Sentinels. */
export function masterNamedBy(option: ConnectionOption): NamedMaster | undefined {
  const known = typeof option === 'string' ? byUrl.get(option) : byOptions.get(option);
  if (known) return known;
  const parts = sentinelled(option);
  if (parts === undefined) return undefined;
  const master = new NamedMaster(parts);
  if (typeof option === 'string') byUrl.set(option, master);
  else byOptions.set(option, master);
  return master;
}
