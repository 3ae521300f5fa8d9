import { createClient, type RedisClientOptions } from 'redis';
import { invalid } from '../errors.js';
import { type ClusterOptions, clusterAddress } from './cluster/cluster-options.js';
import { type SentinelOptions, sentinelled } from './sentinel-options.js';
import { checkTls } from './tls.js';

/**
 * Where Redis is, as users say it: a URL (`redis://`, `rediss://`, `unix:///path`), node-redis client options, or a
 * function that makes a client; a URL and options go together, as in `{ url: 'rediss://…', socket: { tls: true, ca } }`,
 * where the URL wins. Or a cluster (`redis+cluster://`), or a master that Sentinels watch over (`redis+sentinel://`), by a
 * URL or options. It is checked once, at the door, and a password never gets into a message.
 *
 * A client lives as long as its connection and no longer. Broken in the middle of a reply, the decoder of node-redis 4
 * keeps its half-read state through a reconnect, and from then on hangs or hands one command's bytes to another. So
 * whatever the options say, node-redis does not reconnect and does not queue: the supervisor makes a new client.
 */
export type ConnectionOption = string | RedisClientOptions | ClusterOptions | SentinelOptions | (() => RedisConnection);

/** What is used of a node-redis client; `createClient()` of node-redis 4 returns one. */
export interface RedisConnection {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  sendCommand(args: string[]): Promise<unknown>;
  subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

export const defaultConnection = 'redis://127.0.0.1:6379';

const connectTimeoutMsDefault = 5_000;
const portDefault = 6379;

interface Socket {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly connectTimeout?: number;
}

/** Checks what the user gave for one server, and gives it back; a URL alone becomes options. */
function parse(option: ConnectionOption): RedisClientOptions | (() => RedisConnection) {
  if (typeof option === 'function') return option;
  if (clusterAddress(option)) throw invalid('connection is a Redis Cluster where one server is needed');
  if (typeof option === 'string') return fromUrl(option);
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    throw invalid(`connection must be a URL, client options or a function that makes a client, got ${kindOf(option)}`);
  }
  if ('sendCommand' in option) {
    throw invalid(
      'connection must not be a client: give a function that makes one, for each connection needs a new one',
    );
  }
  return fromOptions(option);
}

/** Throws ERR_INVALID_ARGUMENT when this can't be a connection. No I/O. */
export function checkConnection(option: ConnectionOption): void {
  const parts = sentinelled(option);
  const all = parts?.hosts.flatMap((host) => [parts.serverAt(host), parts.sentinelAt(host)]) ?? [option];
  for (const one of all) {
    const parsed = parse(one);
    if (typeof parsed === 'object') checkTls(parsed, (parsed.socket ?? {}) as Readonly<Record<string, unknown>>);
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value;
}

function fromUrl(text: string): RedisClientOptions {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Never shown: there may be a password in it, and above all when it can't be parsed.
  if (url === undefined || url.hash !== '') {
    throw invalid(
      'connection is not a valid URL, expected redis://[[user]:password@]host[:port][/db]; special characters in a password must be percent-encoded',
    );
  }
  if (!['redis:', 'rediss:', 'unix:'].includes(url.protocol)) {
    throw invalid(
      'connection must begin with redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://, or the last two with rediss',
    );
  }
  if (url.search !== '') throw invalid('connection must not have a query part (?…): give client options instead');
  if (url.protocol === 'unix:') return socketFile(url);
  return { socket: hostOf(url), ...credentials(url), ...database(url.pathname) };
}

function socketFile(url: URL): RedisClientOptions {
  if (url.host !== '' || url.pathname.length < 2) throw invalid('a unix connection is unix:///path/of/the/socket');
  return { socket: { path: decoded(url.pathname, 'path') } };
}

function hostOf(url: URL): NonNullable<RedisClientOptions['socket']> {
  if (url.hostname === '') throw invalid('connection has no host, expected redis://host:port');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1'); // node-redis would look up "[::1]" as a name
  const port = url.port === '' ? portDefault : Number(url.port);
  return url.protocol === 'rediss:' ? { host, port, tls: true } : { host, port };
}

function credentials(url: URL): { username?: string; password?: string } {
  return {
    ...(url.username !== '' && { username: decoded(url.username, 'user') }),
    ...(url.password !== '' && { password: decoded(url.password, 'password') }),
  };
}

function decoded(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(`the ${what} in connection is not percent-encoded as it should be`);
  }
}

function database(pathname: string): { database?: number } {
  if (pathname === '' || pathname === '/') return {};
  if (!/^\/\d{1,5}$/.test(pathname)) throw invalid('the path of a connection URL must be a database number, as in /0');
  return { database: Number(pathname.slice(1)) };
}

function fromOptions(given: RedisClientOptions): RedisClientOptions {
  const { url, ...options } = given;
  if (url !== undefined && typeof url !== 'string')
    throw invalid(`connection.url must be a string, got ${kindOf(url)}`);
  const { socket, ...fromAddress } = url === undefined ? {} : fromUrl(url);
  const { database } = options;
  if (options.socket !== undefined && (typeof options.socket !== 'object' || options.socket === null)) {
    throw invalid(`connection.socket must be an object, got ${kindOf(options.socket)}`);
  }
  if (database !== undefined && !(Number.isSafeInteger(database) && database >= 0)) {
    throw invalid('connection.database must be a whole number from 0');
  }
  for (const name of ['username', 'password', 'name'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'string') {
      throw invalid(`connection.${name} must be a string, got ${kindOf(options[name])}`);
    }
  }
  const merged = { ...options.socket, ...socket } as NonNullable<RedisClientOptions['socket']>;
  return { ...options, ...fromAddress, socket: merged };
}

/**
 * One new client. `signal` destroys its socket in whatever state it is, which `disconnect()` does not while a
 * connection is being made; it has nothing to do with the signals of commands, which node-redis can't stand. A client
 * of the user's own function is used as it is.
 */
export function openClient(option: ConnectionOption, signal?: AbortSignal): RedisConnection {
  const parsed = parse(option);
  return typeof parsed === 'function' ? madeBy(parsed) : createClient(withSafeSettings(parsed, signal));
}

function withSafeSettings(options: RedisClientOptions, signal: AbortSignal | undefined): RedisClientOptions {
  const { pingInterval: _1, commandsQueueMaxLength: _2, legacyMode: _3, ...kept } = options;
  const socket = { ...kept.socket, connectTimeout: connectTimeoutMs(options), reconnectStrategy: false, signal };
  return {
    ...kept,
    socket: socket as NonNullable<RedisClientOptions['socket']>,
    disableOfflineQueue: true,
    disableClientInfo: true, // CLIENT SETINFO came with Redis 7.2
  };
}

const used = new WeakSet<object>();

function madeBy(make: () => RedisConnection): RedisConnection {
  const client: unknown = make();
  const isClient = typeof client === 'object' && client !== null && 'sendCommand' in client && 'connect' in client;
  if (!isClient) throw invalid(`the connection function must return a node-redis client, got ${kindOf(client)}`);
  const connection = client as RedisConnection;
  if (used.has(client) || connection.isOpen) {
    throw invalid('the connection function must make a new client, not yet connected, each time it is called');
  }
  if ((client as { options?: { legacyMode?: boolean } }).options?.legacyMode) {
    throw invalid('the connection function must not make a client in legacy mode');
  }
  used.add(client);
  return connection;
}

/** How long making a connection may take, AUTH and SELECT included. */
export function connectTimeoutMs(option: ConnectionOption): number {
  if (typeof option !== 'object') return connectTimeoutMsDefault;
  const ms = (option.socket as Socket | undefined)?.connectTimeout;
  return typeof ms === 'number' && ms > 0 ? ms : connectTimeoutMsDefault;
}

/** Whether a client speaks TLS, as its options say; a client of the user's own function has them as well. */
export function isTls(client: RedisConnection): boolean {
  const { options } = client as { options?: { socket?: { tls?: unknown } } };
  return options?.socket?.tls === true;
}

/** `host:port/db` or the path of the socket, without secrets, for messages. */
export function describeConnection(option: ConnectionOption): string {
  const parsed = parse(option);
  if (typeof parsed === 'function') return 'the connection of your function';
  const { host = 'localhost', port = portDefault, path } = (parsed.socket ?? {}) as Socket;
  const at = path ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return parsed.database ? `${at}/${parsed.database}` : at;
}
