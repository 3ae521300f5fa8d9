import type { RedisClientOptions } from 'redis';
import { invalid } from '../../errors.js';
import { type Host, parseHosts, shownHost } from '../hosts.js';

/** A Redis Cluster, in code; the other fields are client options for each of its nodes. */
export interface ClusterOptions extends Omit<RedisClientOptions, 'url' | 'database'> {
  /** Some of the nodes, which tell of the others: `'host'`, `'host:port'` or `{ host, port }`. Default port 6379. */
  readonly cluster: readonly (string | { readonly host: string; readonly port?: number })[];
  /** Where a node is for us, by the `host:port` that the cluster knows it by: for a cluster behind NAT. Default: there. */
  readonly nodeAddressMap?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
}

/** What a connection to a cluster comes to. A node is called `host:port`, as the cluster does. */
export interface ClusterAddress {
  readonly seeds: readonly [string, ...string[]];
  /** For messages, without user and password. */
  readonly shown: string;
  /** How to reach one of its nodes. */
  serverAt(node: string): string | RedisClientOptions;
}

const portDefault = 6379;

/** Undefined when this is no connection to a cluster; throws ERR_INVALID_ARGUMENT when it is a wrong one. */
export function clusterAddress(option: unknown): ClusterAddress | undefined {
  if (typeof option === 'string') return /^rediss?\+cluster:/i.test(option) ? fromUrl(option) : undefined;
  if (typeof option !== 'object' || option === null) return undefined;
  if ('url' in option && !('cluster' in option)) return withOptions(option as RedisClientOptions);
  return 'cluster' in option ? fromOptions(option as ClusterOptions) : undefined;
}

/** `URL` can't read several hosts with ports. What is wrong is never shown: there may be a password in it. */
function fromUrl(text: string): ClusterAddress {
  const found = /^(rediss?)\+cluster:\/\/((?:[^@/?#]*@)?)([^@/?#]*)(\/\d*)?$/i.exec(text);
  if (found === null) {
    throw invalid(
      'connection is not a valid cluster URL, expected redis+cluster://[[user]:password@]host[:port],host[:port]… and no more; special characters in a password must be percent-encoded',
    );
  }
  const [, scheme = '', credentials = '', hosts = '', database = '/'] = found;
  if (Number(database.slice(1)) !== 0) throw onlyDatabase0();
  return {
    ...seedsOf(parseHosts(hosts, portDefault)),
    serverAt: (node) => `${scheme}://${credentials}${node}`,
  };
}

/** A URL, and client options for each of its nodes: the URL wins. */
function withOptions({ url, ...options }: RedisClientOptions): ClusterAddress | undefined {
  const address = clusterAddress(url);
  return address && { ...address, serverAt: (node) => ({ ...options, url: address.serverAt(node) as string }) };
}

function fromOptions(given: ClusterOptions): ClusterAddress {
  const { cluster, nodeAddressMap = {}, ...shared } = given;
  if (!Array.isArray(cluster) || cluster.length === 0) {
    throw invalid("connection.cluster must be a list of nodes, such as ['10.0.0.1:6379', '10.0.0.2:6379']");
  }
  if ('url' in shared) throw invalid('connection has both a url and a cluster: name the nodes in cluster');
  if ('database' in shared && shared.database !== undefined && shared.database !== 0) throw onlyDatabase0();
  const { path: _none, ...socket } = { ...(shared.socket as { path?: string } | undefined) };
  const reached = new Map(Object.entries(nodeAddressMap).map(([node, host]) => [nameOf(node), hostOf(host)]));
  return {
    ...seedsOf((cluster as ClusterOptions['cluster']).map(hostOf)),
    serverAt: (node) => ({ ...shared, socket: { ...socket, ...(reached.get(node) ?? hostOf(node)) } }),
  };
}

function seedsOf(hosts: readonly Host[]): Pick<ClusterAddress, 'seeds' | 'shown'> {
  const seeds = hosts.map(shownHost) as [string, ...string[]];
  return { seeds, shown: seeds.join(',') };
}

function hostOf(given: string | { readonly host: string; readonly port?: number }): Host {
  const isObject = typeof given === 'object' && given !== null;
  const text = isObject ? shownHost({ host: given.host, port: given.port ?? portDefault }) : given;
  const [host, another] = typeof text === 'string' ? parseHosts(text, portDefault) : [];
  if (host === undefined || another !== undefined) {
    throw invalid("a node of connection.cluster must be 'host', 'host:port' or { host, port }");
  }
  return host;
}

/** An IPv6 address may have no brackets there: node-redis wants it so. */
function nameOf(node: string): string {
  const bare = /^([\da-f]*:[\da-f:.]+):(\d+)$/i.exec(node);
  return shownHost(bare ? { host: bare[1] ?? '', port: Number(bare[2]) } : hostOf(node));
}

function onlyDatabase0(): Error {
  return invalid('connection: a Redis Cluster has the database 0 and no other');
}
