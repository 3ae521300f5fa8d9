import type { RedisClientOptions } from 'redis';
import { invalid } from '../errors.js';
import { type Host, parseHosts, shownHost } from './hosts.js';

/** A master that Sentinels watch over, in code. All other fields are client options for the master. */
export interface SentinelOptions extends Omit<RedisClientOptions, 'url'> {
  /** The Sentinels: `'host'`, `'host:port'` or `{ host, port }`; default port 26379. Name them all: most of them decide. */
  readonly sentinels: readonly (string | { readonly host: string; readonly port?: number })[];
  /** The name by which they know the master. */
  readonly master: string;
  /** For the Sentinels, whose users are not those of the master. Default: none. `socket.tls` is for both. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

/** A connection by way of Sentinels, read and in its parts. */
export interface Sentinelled {
  readonly hosts: readonly Host[];
  readonly master: string;
  /** For messages: the URL without user and password. */
  readonly shown: string;
  /** What reaches the master when it is there. */
  readonly serverAt: (host: Host) => string | RedisClientOptions;
  /** What reaches a Sentinel. */
  readonly sentinelAt: (host: Host) => string | RedisClientOptions;
}

const portDefault = 26_379;

/** Undefined when this is another kind of connection; throws ERR_INVALID_ARGUMENT when it is a wrong one of this kind. */
export function sentinelled(option: unknown): Sentinelled | undefined {
  if (typeof option === 'string') return /^rediss?\+sentinel:/i.test(option) ? fromUrl(option) : undefined;
  if (typeof option !== 'object' || option === null) return undefined;
  if ('url' in option && !('sentinels' in option || 'master' in option))
    return withOptions(option as RedisClientOptions);
  return 'sentinels' in option || 'master' in option ? fromOptions(option as SentinelOptions) : undefined;
}

/** What is wrong in it is never shown: there may be a password in it. */
function fromUrl(text: string): Sentinelled {
  const form = /^(rediss?)\+sentinel:\/\/((?:[^@/?#]*@)?)([^@/?#]*)(?:\/([^/?#]*))?((?:\/\d{0,5})?)$/i;
  const found = form.exec(text);
  if (found === null) {
    throw invalid(
      'connection is not a valid Sentinel URL, expected redis+sentinel://[[user]:password@]host[:port],host[:port]…/master-name[/db] without a query part; special characters in a password must be percent-encoded',
    );
  }
  const [, scheme = '', credentials = '', list = '', master = '', database = ''] = found;
  const hosts = parseHosts(list, portDefault);
  return {
    ...named(hosts, checkedMaster(master), database),
    serverAt: (host) => `${scheme}://${credentials}${shownHost(host)}${database}`,
    sentinelAt: (host) => `${scheme}://${shownHost(host)}`,
  };
}

/** A URL, and client options for the master: the URL wins. What is for TLS is for the Sentinels as well. */
function withOptions({ url, ...options }: RedisClientOptions): Sentinelled | undefined {
  const parts = sentinelled(url);
  const { socket } = options;
  return (
    parts && {
      ...parts,
      serverAt: (host) => ({ ...options, url: parts.serverAt(host) as string }),
      sentinelAt: (host) => ({ ...(socket && { socket }), url: parts.sentinelAt(host) as string }),
    }
  );
}

function fromOptions(given: SentinelOptions): Sentinelled {
  const { sentinels, master, sentinelUsername: username, sentinelPassword: password, ...options } = given;
  if (!Array.isArray(sentinels) || sentinels.length === 0) {
    throw invalid('connection.sentinels must be a list of at least one host, host:port or { host, port }');
  }
  if ('url' in options) throw invalid('connection.url must not stand beside sentinels: give either, or the URL alone');
  const { socket } = options as { socket?: unknown };
  if (socket !== undefined && (typeof socket !== 'object' || socket === null || 'host' in socket || 'path' in socket)) {
    throw invalid(
      'connection.socket beside sentinels must be an object without host and path: they tell where the master is',
    );
  }
  const hosts = (sentinels as SentinelOptions['sentinels']).flatMap(hostsIn);
  const secrets = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  const at = (host: Host): RedisClientOptions => ({ socket: { ...options.socket, ...host } });
  return {
    ...named(hosts, checkedMaster(master), options.database ? `/${options.database}` : ''),
    serverAt: (host) => ({ ...options, ...at(host) }),
    sentinelAt: (host) => ({ ...secrets, ...at(host) }),
  };
}

function hostsIn(given: SentinelOptions['sentinels'][number]): Host[] {
  if (typeof given === 'string') return parseHosts(given, portDefault);
  const { host, port = portDefault } = Object(given) as { host?: unknown; port?: number };
  return parseHosts(shownHost({ host: typeof host === 'string' ? host : '', port }), portDefault);
}

function checkedMaster(name: unknown): string {
  if (typeof name === 'string' && /^[\w.-]{1,128}$/.test(name)) return name;
  throw invalid(
    'connection must name the master as the Sentinels do, in letters, digits and . - _: redis+sentinel://host:port/master-name, or { sentinels, master }',
  );
}

function named(hosts: Host[], master: string, database: string): Pick<Sentinelled, 'hosts' | 'master' | 'shown'> {
  return { hosts, master, shown: `${hosts.map(shownHost).join()}/${master}${database.replace(/\/$/, '')}` };
}
