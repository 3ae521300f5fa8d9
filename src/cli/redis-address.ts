import type { Arguments } from './arguments.js';
import { usage } from './failure.js';
import { type Tls, tlsOf } from './tls-files.js';

/** Where the address was found is said in errors; the address itself may hold a password and never is. */
const sources = ['DUESTREAM_REDIS_URL', 'REDIS_URL'];

/** What the library takes: a URL, and for TLS what the command line says beside it. */
export type Address = string | { readonly url: string; readonly socket: Tls };

export interface Connection {
  readonly connection: Address;
  readonly prefix?: string;
}

/** `--redis`, else the environment, else the usual port on this machine. Checked here, so that a typo connects nowhere. */
export function connectionOf(args: Arguments): Connection {
  const url = redisUrlOf(args);
  const tls = tlsOf(args);
  const nodes = args.list('lock-nodes') ?? [];
  if (tls && ![url, ...nodes].some(isTls)) {
    throw usage(`${tls.source} is for TLS, and the address of Redis is without: let it begin with rediss://`);
  }
  const prefix = args.text('prefix');
  return { connection: addressOf(url, tls?.tls), ...(prefix !== undefined && { prefix }) };
}

/** The URL alone. */
export function redisUrlOf(args: Arguments): string {
  const flag = args.text('redis');
  const source = flag === undefined ? sources.find((name) => process.env[name]) : '--redis';
  const url = flag ?? (source === undefined ? 'redis://127.0.0.1:6379' : (process.env[source] ?? ''));
  checkUrl(url, source ?? 'the address');
  return url;
}

function isTls(url: string): boolean {
  return /^rediss(?:\+\w+)?:/i.test(url);
}

function addressOf(url: string, tls: Tls | undefined): Address {
  return tls && isTls(url) ? { url, socket: tls } : url;
}

export function urlOf(address: Address): string {
  return typeof address === 'string' ? address : address.url;
}

/** The servers of `--lock-nodes`; those with TLS are met with the same files as the queue's. */
export function lockNodesOf(args: Arguments): Address[] | undefined {
  const nodes = args.list('lock-nodes');
  if (nodes?.some(isOfSeveral)) {
    throw usage('--lock-nodes takes the URLs of single Redis servers, with commas; no cluster, and no Sentinels');
  }
  for (const node of nodes ?? []) checkUrl(node, '--lock-nodes');
  if (nodes !== undefined && nodes.length % 2 === 0) {
    throw usage(
      `--lock-nodes needs an odd number of Redis servers, for a majority must be possible; got ${nodes.length}`,
    );
  }
  const tls = tlsOf(args)?.tls;
  return nodes?.map((node) => addressOf(node, tls));
}

/** Several hosts, which URL can't read: what is wrong in it beyond this the library says. */
const several =
  /^rediss?\+(?:cluster:\/\/(?:[^@/?#]*@)?(?<nodes>[^@/?#]+)(?:\/\d*)?|sentinel:\/\/(?:[^@/?#]*@)?(?<master>[^@/?#]+\/[^@?#]+))$/i;

export function isOfSeveral(address: string): boolean {
  return /^rediss?\+\w+:/i.test(address);
}

/** The library looks at the rest of it. */
function checkUrl(text: string, source: string): void {
  if (isOfSeveral(text)) {
    if (several.test(text)) return;
    throw usage(
      /\+cluster:/i.test(text)
        ? `${source} must name nodes of the cluster, as in redis+cluster://host:6379,host:6379`
        : `${source} must name Sentinels and the master, as in redis+sentinel://host:26379,host:26379/mymaster`,
    );
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['redis:', 'rediss:', 'unix:'].includes(url.protocol) && (url.hostname !== '' || url.pathname !== ''))
    return;
  throw usage(
    `${source} must be a URL such as redis://127.0.0.1:6379, rediss://user:password@host:6380/0 or redis+cluster://host1:6379,host2:6379`,
  );
}

/** Where that is, without user, password and the rest. */
export function hostOf(address: string): string {
  const { nodes, master } = several.exec(address)?.groups ?? {};
  if (nodes !== undefined || master !== undefined) return nodes ?? master ?? '';
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
  if (isOfSeveral(address)) return /^[^/]*\/\/[^:]*:(.*)@/.exec(address)?.[1] ?? '';
  return URL.canParse(address) ? new URL(address).password : '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
