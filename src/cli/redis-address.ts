import type { Arguments } from './arguments.js';
import { usage } from './failure.js';

/** Where the address was found is said in errors; the address itself may hold a password and never is. */
const sources = ['DUESTREAM_REDIS_URL', 'REDIS_URL'];

export interface Connection {
  readonly connection: string;
  readonly prefix?: string;
}

/** `--redis`, else the environment, else the usual port on this machine. Checked here, so that a typo connects nowhere. */
export function connectionOf(args: Arguments): Connection {
  const flag = args.text('redis');
  const source = flag === undefined ? sources.find((name) => process.env[name]) : '--redis';
  const connection = flag ?? (source === undefined ? 'redis://127.0.0.1:6379' : (process.env[source] ?? ''));
  if (!clusterUrl.test(connection)) checkUrl(connection, source ?? 'the address');
  const prefix = args.text('prefix');
  return { connection, ...(prefix !== undefined && { prefix }) };
}

/** The servers of `--lock-nodes`. */
export function lockNodesOf(args: Arguments): string[] | undefined {
  const nodes = args.list('lock-nodes');
  for (const node of nodes ?? []) checkUrl(node, '--lock-nodes');
  if (nodes !== undefined && nodes.length % 2 === 0) {
    throw usage(
      `--lock-nodes needs an odd number of Redis servers, for a majority must be possible; got ${nodes.length}`,
    );
  }
  return nodes;
}

/** A list of hosts, which URL can't read. What is wrong in it beyond this the library says. */
const clusterUrl = /^rediss?\+cluster:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/\d*)?$/i;

function checkUrl(text: string, source: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['redis:', 'rediss:', 'unix:'].includes(url.protocol) && (url.hostname !== '' || url.pathname !== ''))
    return;
  throw usage(
    `${source} must be a URL such as redis://127.0.0.1:6379, rediss://user:password@host:6380/0 or redis+cluster://host1:6379,host2:6379`,
  );
}

/** Where that is, without user, password and the rest. */
export function hostOf(address: string): string {
  const [, , hosts] = clusterUrl.exec(address) ?? [];
  if (hosts !== undefined) return hosts;
  const { protocol, host, hostname, port, pathname } = new URL(address);
  if (protocol === 'unix:') return pathname;
  return port === '' ? `${hostname}:6379` : host;
}

const secretMin = 3;

/** The text without the passwords of these addresses, in case a message from below carries one. */
export function withoutSecrets(text: string, addresses: readonly (string | undefined)[]): string {
  let safe = text;
  for (const address of addresses) {
    const password = address === undefined ? '' : passwordOf(address);
    for (const secret of [password, decoded(password)]) {
      if (secret.length >= secretMin) safe = safe.replaceAll(secret, '***');
    }
  }
  return safe;
}

function passwordOf(address: string): string {
  const [cluster, credentials = ''] = clusterUrl.exec(address) ?? [];
  if (cluster !== undefined) return credentials.replace(/^[^:]*:?/, '');
  return URL.canParse(address) ? new URL(address).password : '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
