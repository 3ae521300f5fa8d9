import { type Health, Metrics, type Observe, Queue } from '../index.js';
import type { Arguments } from './arguments.js';
import type { Flag } from './command.js';
import { exitCodes, usage } from './failure.js';
import { FirstContact } from './first-contact.js';
import { note } from './output.js';
import { type Connection, connectionOf, lockNodesOf, urlOf } from './redis-address.js';
import { RoleLog } from './role-log.js';
import { StopSignal } from './stop-signal.js';

/**
 * What `worker` and `leader` share: processes that run until they are told to stop. They are up, with their health
 * page, before Redis is; they outlive its outages; and they say when they start, when they stop, and what went wrong.
 */
export const roleFlags: Readonly<Record<string, Flag>> = {
  'lock-ttl': { describe: 'How long a silent leader keeps its seat (default: 5s, from 500ms)' },
  'lock-nodes': {
    describe: 'Redis URLs that vote on who leads, with commas; an odd number (default: the Redis of the queue)',
  },
  'metrics-port': { describe: 'Serve /metrics, /healthz and /readyz there' },
  'metrics-host': { describe: 'Address to serve them on (default: 127.0.0.1)' },
};

export interface Station {
  /** Resolves at once: a Redis that is away is waited for in the background. */
  start(): Promise<void>;
  stop(): Promise<void>;
  health(): Health;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

export interface Role {
  readonly kind: 'worker' | 'leader';
  /** What stands behind the queues in the line that tells of the start. */
  readonly detail: string;
  /** The names that are handled, for the metrics to know. */
  readonly names?: readonly string[];
  make(queue: string, shared: Connection & { readonly observe: Observe }): Station;
}

const portMax = 65_535;

export function queuesOf(args: Arguments): string[] {
  return [...new Set(args.words('queue'))];
}

export async function runRole(args: Arguments, role: Role): Promise<number> {
  const connection = connectionOf(args);
  const queues = queuesOf(args);
  const metrics = new Metrics();
  const addresses = [connection.connection, ...(lockNodesOf(args) ?? [])].map(urlOf);
  const log = new RoleLog(addresses, { verbose: args.on('verbose') });
  const contact = new FirstContact();
  const observe: Observe = (observation) => {
    contact.observe(observation);
    metrics.observe(observation);
    log.observe(observation);
  };
  const stations = queues.map((queue) => role.make(queue, { ...connection, observe }));
  for (const station of stations) {
    station.on('error', (error) => contact.ends(error) || log.tell(error));
  }
  const page = await servePage(args, { role, connection, queues, metrics, stations });
  const stop = new StopSignal('stopping; a second signal ends at once');
  try {
    await Promise.all(stations.map((station) => station.start()));
    const where = page ? `; http://${page.host}:${page.port}` : '';
    note(`${role.kind} started: ${queues.join(', ')}; ${role.detail}${where}`);
    await Promise.race([stop.wait(), contact.refused]);
  } finally {
    log.close();
    await Promise.all(stations.map((station) => station.stop()));
    await page?.close();
  }
  note(`${role.kind} stopped`);
  return exitCodes.ok;
}

interface PageParts {
  readonly role: Role;
  readonly connection: Connection;
  readonly queues: readonly string[];
  readonly metrics: Metrics;
  readonly stations: readonly Station[];
}

/** Served before Redis is reached: that is when somebody wants to know. */
async function servePage(args: Arguments, parts: PageParts): Promise<Page | undefined> {
  const port = args.whole('metrics-port', { min: 0, max: portMax });
  const host = args.text('metrics-host') ?? '127.0.0.1';
  if (port === undefined) {
    if (args.text('metrics-host') !== undefined) throw usage('--metrics-host goes with --metrics-port');
    return undefined;
  }
  const { metrics, connection, stations, role } = parts;
  const watched = parts.queues.map((name) => new Queue(name, connection));
  for (const queue of watched) {
    metrics.expect(queue.name, role.names ?? []);
    metrics.watch(queue);
  }
  const server = await metrics.listen({ port, host, health: () => healthOf(stations) });
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), ...watched.map((queue) => queue.close())]);
  };
  return { host, port: server.port, close };
}

interface Page {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

function healthOf(stations: readonly Station[]): Health {
  const all = stations.map((station) => station.health());
  return {
    ok: all.every(({ ok }) => ok),
    ready: all.every(({ ready }) => ready),
    problems: [...new Set(all.flatMap(({ problems }) => problems))],
  };
}
