import { type DuestreamError, invalid } from '../errors.js';

/** What a server that answers is. Each kind is reached by a URL of its own, and none may be taken for another. */
export type ServerKind = 'standalone' | 'cluster' | 'sentinel';

export interface Expectation {
  /** Default: a Redis by itself. */
  readonly kind?: ServerKind;
  /** For messages: where the server is. */
  readonly shown: string;
  /** It votes on who leads, and can be nothing but a Redis by itself. */
  readonly isVoter?: boolean;
}

/** By INFO, which every connection reads at its beginning; undefined where that is not ours to read. */
export function kindIn(info: string): ServerKind | undefined {
  return /^(?:redis|server)_mode:(standalone|cluster|sentinel)/m.exec(info)?.[1] as ServerKind | undefined;
}

/** The database is selected before anything else can be asked, and only a Redis by itself has several. */
export function kindRefusing(error: Error): ServerKind | undefined {
  if (error.message.includes('SELECT is not allowed in cluster mode')) return 'cluster';
  return /unknown command .?SELECT\b/i.test(error.message) ? 'sentinel' : undefined;
}

/** Undefined when it is as expected, or nobody knows. */
export function wrongKind(found: ServerKind | undefined, expectation: Expectation): DuestreamError | undefined {
  const { kind: expected = 'standalone', shown, isVoter = false } = expectation;
  if (found === undefined || found === expected) return undefined;
  const todo = isVoter ? 'a lock node must be a Redis by itself' : todos[found][expected];
  return invalid(`the server at ${shown} is ${words[found]}: ${todo}`);
}

const words: Readonly<Record<ServerKind, string>> = {
  standalone: 'a Redis by itself',
  cluster: 'one node of a Redis Cluster',
  sentinel: 'a Sentinel and no Redis',
};

const ofCluster = 'use redis+cluster://host:port,host:port';
const ofSentinels = 'use redis+sentinel://host:port,host:port/name-of-the-master';

/** By what it is, and by what it was taken for. */
const todos: Readonly<Record<ServerKind, Readonly<Record<ServerKind, string>>>> = {
  standalone: {
    standalone: '',
    cluster: 'use redis:// and not redis+cluster://',
    sentinel: 'use redis:// and not redis+sentinel://, or name the Sentinels, most often on port 26379',
  },
  cluster: {
    standalone: `${ofCluster} and not redis://`,
    cluster: '',
    sentinel: `${ofCluster} and not redis+sentinel://`,
  },
  sentinel: {
    standalone: `${ofSentinels} and not redis://`,
    cluster: 'name nodes of the cluster',
    sentinel: '',
  },
};
