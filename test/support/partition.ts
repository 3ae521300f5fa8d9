/**
 * A partition on a real Redis of its own, for tests of the scripts: a server on a unix socket for each test file, empty
 * before each test. Time is virtual where a script takes it: `now` unless a call says otherwise. What is pending grows
 * idle by the server's clock, so tests set it (`idleFor`) and never wait.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type PartitionKeys, partitionKeys } from '../../src/keys.js';
import type { Reply } from '../../src/redis/reply.js';
import { runScript, type Script } from '../../src/redis/script.js';
import * as lua from '../../src/redis/scripts.generated.js';

export const now = 1_800_000_000_000;
export const keys: PartitionKeys = partitionKeys('test', 'q', 0);

/** What every call has, or may have, and a test seldom cares about. */
interface Standing {
  layout: string;
  nowMs: number;
  lane: string;
  call: number;
  term: string;
  token: string;
  group: string;
  inRow: 0 | 1;
}
const standing: Standing = {
  layout: '1/1',
  nowMs: now,
  lane: '',
  call: 0,
  term: '7',
  token: 'seven',
  group: '',
  inRow: 0,
};
export type Over = Partial<Standing>;
type OwnArgs<A> = Omit<A, keyof Standing> & Over;

export interface Delivery {
  readonly entry: string;
  readonly count: number;
  readonly id: string;
}

type Settlement = Delivery & { verb?: 'complete' | 'retry' | 'bury'; value?: string; run?: string };

let client: ReturnType<typeof createClient>;

export function send(...args: (string | number | Buffer)[]): Promise<Reply> {
  return client.sendCommand(args.map((arg) => (Buffer.isBuffer(arg) ? arg : String(arg)))) as Promise<Reply>;
}

export function run<K, A, R extends { status: string }>(
  script: Script<K, A, R>,
  args: OwnArgs<NoInfer<A>>,
): Promise<R> {
  const call = { keys: keys as K, args: { ...standing, ...args } as A };
  return runScript<K, A, R>({ send: (command) => send(...command) }, script, call);
}

/** The reply, which must have this status. */
export async function expectStatus<R extends { status: string }, S extends R['status']>(
  reply: Promise<R>,
  status: S,
): Promise<Extract<R, { status: S }>> {
  const got = await reply;
  if (got.status !== status) throw new Error(`expected ${status}, got ${JSON.stringify(got)}`);
  return got as Extract<R, { status: S }>;
}

/** As anybody may, and not as a leader. */
export function cancelTask(id: string, over: Over = {}): Promise<lua.CancelReply> {
  return run(lua.cancel, { term: '', token: '', ...over, id });
}

/** Adds one task; returns its mark. */
export async function addTask(
  id: string,
  when = '+0',
  more: { expires?: string; record?: string } & Over = {},
): Promise<string> {
  const { expires = '', record = '["job"]', ...over } = more;
  const reply = await expectStatus(run(lua.add, { items: [{ id, when, expires, record }], ...over }), 'ok');
  return reply.marks;
}

export async function join(consumer: string, leaseMs = 30_000): Promise<void> {
  await expectStatus(run(lua.join, { consumer, worker: 'a worker', leaseMs }), 'ok');
}

/** What a blocked reader gets: entries delivered, and not opened yet. */
export async function read(consumer: string, count = 1): Promise<Delivery[]> {
  const reply = (await send('XREADGROUP', 'GROUP', 'workers', consumer, 'COUNT', count, 'STREAMS', keys.stream, '>')) as
    | [[string, [string, [string, string]][]]]
    | null;
  return (reply?.[0][1] ?? []).map(([entry, [, id]]) => ({ entry, count: 1, id }));
}

/** Adds a task that is due, and hands it to this consumer. */
export async function active(id: string, consumer = 'c1', more: Parameters<typeof addTask>[2] = {}): Promise<Delivery> {
  await join(consumer);
  await addTask(id, '+0', more);
  const [delivery] = await read(consumer);
  if (delivery?.id !== id) throw new Error(`expected to read ${id}, got ${JSON.stringify(delivery)}`);
  return delivery;
}

export function open(
  consumer: string,
  deliveries: readonly Delivery[],
  over: Over & { after?: string } = {},
): Promise<lua.OpenReply> {
  const items = deliveries.map(({ entry, id }) => ({ entry, id, dueMs: now }));
  return run(lua.open, { consumer, bytesMax: 1e6, after: '', items, ...over });
}

/** Reads ready entries and opens them, in one step. */
export function fetch(
  consumer: string,
  more: { free?: number; bytesMax?: number } & Over = {},
): Promise<lua.NextReply> {
  return run(lua.next, { consumer, free: 10, bytesMax: 1e6, items: [], ...more });
}

/** The marks of deliveries that end: by next, retry or bury; all of them `complete` unless said otherwise. */
export async function settle(consumer: string, deliveries: readonly Settlement[], over: Over = {}): Promise<string> {
  const [{ verb = 'complete' } = {}] = deliveries;
  if (deliveries.some((one) => (one.verb ?? 'complete') !== verb)) throw new Error('one verb a call');
  const items = deliveries.map(({ value = '', run: errors = '{}', ...one }) => ({
    ...one,
    delayMs: Number(value) || 0,
    reason: value,
    run: errors,
  }));
  if (verb === 'retry') return (await expectStatus(run(lua.retry, { consumer, items, ...over }), 'ok')).marks;
  if (verb === 'bury') return (await expectStatus(run(lua.bury, { consumer, items, ...over }), 'ok')).marks;
  return (await expectStatus(run(lua.next, { consumer, free: 0, bytesMax: 0, items, ...over }), 'ok')).marks;
}

/** The leader that the epoch accepts: term 7, token seven. */
export async function elect(): Promise<void> {
  await send('HSET', keys.epoch, 'term', 7, 'token', 'seven', 'leader', 'the leader', 'since_ms', now, 'seen_ms', now);
}

export function promote(over: Over & { overdueMs?: number; limit?: number } = {}): Promise<lua.PromoteReply> {
  return run(lua.promote, { overdueMs: 6_000, limit: 250, ...over });
}

export async function promoted(over: Parameters<typeof promote>[0] = {}): Promise<number> {
  return (await expectStatus(promote(over), 'ok')).promoted;
}

/** Makes this delivery look silent for so long. The delivery count stays, unless given. */
export async function idleFor(idleMs: number, consumer: string, { entry, count }: Delivery): Promise<void> {
  await send('XCLAIM', keys.stream, 'workers', consumer, 0, entry, 'IDLE', idleMs, 'RETRYCOUNT', count, 'JUSTID');
}

export async function beat(
  consumer: string,
  more: { leaseMs?: number; items?: Delivery[] } & Over = {},
): Promise<lua.BeatReply> {
  return run(lua.beat, { consumer, worker: 'a worker', leaseMs: 30_000, items: [], ...more });
}

export function recover(consumer: string, more: Partial<lua.RecoverArgs> = {}): Promise<lua.RecoverReply> {
  const standard = { leaseMs: 30_000, page: 200, limit: 100, bytesMax: 1e6, lostMax: 5 };
  return run(lua.recover, { consumer, ...standard, ...more });
}

/** A count by name; 0 when nothing was counted. */
export async function counted(name: string): Promise<number> {
  return Number((await send('HGET', keys.counts, name)) ?? 0);
}

/** The text that the record has beside what add put in front. */
export async function recordOf(id: string): Promise<Reply> {
  return send('HGET', keys.tasks, id);
}

/** All of Redis, to compare: every key with its type and all it holds, who has what pending included. */
export async function dump(): Promise<Record<string, Reply>> {
  const all: Record<string, Reply> = {};
  for (const key of ((await send('KEYS', '*')) as string[]).sort()) {
    const type = (await send('TYPE', key)) as string;
    if (type === 'hash') all[key] = sortedPairs((await send('HGETALL', key)) as string[]);
    else if (type === 'zset') all[key] = await send('ZRANGE', key, 0, -1, 'WITHSCORES');
    else if (type === 'stream') all[key] = await send('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0);
    else all[key] = await send('GET', key);
  }
  return all;
}

function sortedPairs(flat: readonly string[]): string[] {
  const pairs: string[] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push(`${flat[at]} = ${flat[at + 1]}`);
  return pairs.sort();
}

/** For a test file: its own server, empty before each test. */
export function useRedis(): void {
  const folder = mkdtempSync(joinPath(tmpdir(), 'duestream-lua-'));
  const socket = joinPath(folder, 'redis.sock');
  let server: ChildProcess;

  beforeAll(async () => {
    const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'];
    server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await readyToAccept(server);
    client = createClient({ socket: { path: socket, reconnectStrategy: false }, disableClientInfo: true });
    client.on('error', () => undefined); // without a listener the process would exit; calls reject by themselves
    await client.connect();
  });
  beforeEach(async () => {
    await send('FLUSHALL');
  });
  afterAll(async () => {
    await client.disconnect();
    const exited = once(server, 'exit');
    server.kill();
    await exited;
    rmSync(folder, { recursive: true });
  });
}

/** Since 7.2 with a capital. */
const isReady = /ready to accept connections/i;

async function readyToAccept(server: ChildProcess): Promise<void> {
  let log = '';
  for await (const chunk of server.stdout ?? []) {
    log += String(chunk);
    if (isReady.test(log)) break;
  }
  if (!isReady.test(log)) throw new Error(`redis-server did not start: ${log}`);
}
