import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { ConnectionOption } from '../../src/redis/connection.js';
import { launchRedis, type RedisLaunchOptions, type RedisServer } from '../../src/redis/embedded.js';
import { Link, type LinkEvent, type LinkOptions } from '../../src/redis/link.js';

/** One server for a test file; call what is returned inside a test. */
export function useRedis(options: RedisLaunchOptions = {}): () => RedisServer {
  let server: RedisServer | undefined;
  beforeAll(async () => {
    server = await launchRedis(options);
  });
  afterAll(async () => {
    await server?.stop();
  });
  return () => {
    if (server === undefined) throw new Error('the server is there inside a test only');
    return server;
  };
}

/** A server of this test's own, which may kill it; stopped when the test is over. */
export async function startRedis(options: RedisLaunchOptions = {}): Promise<RedisServer> {
  const server = await launchRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A link that is stopped when the test is over. Its first wait before a reconnect is none. */
export function linkTo(connection: ConnectionOption, options: Partial<LinkOptions> = {}): Link {
  const link = new Link({ connection, purpose: 'commands', random: () => 0, ...options });
  onTestFinished(() => link.stop());
  return link;
}

/** Keeps events, and waits for one. */
export class EventLog<E extends { type: string } = LinkEvent> {
  readonly events: E[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (event: E): void => {
    this.events.push(event);
    for (const look of this.#waiting) look();
  };

  /** The first of this type since the beginning, or the one after `skip` others. */
  next<T extends E['type']>(type: T, skip = 0): Promise<Extract<E, { type: T }>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.events.filter((event) => event.type === type)[skip];
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found as Extract<E, { type: T }>);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Asks until it is so. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The code of the error that a promise rejects with; fails when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error: unknown = await promise.then(
    (value) => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );
  return (error as { code?: unknown }).code;
}
