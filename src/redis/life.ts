import { ErrorReply } from 'redis';
import type { Clock } from '../clock.js';
import { assert, messageOf } from '../errors.js';
import { newToken } from '../random.js';
import { type ConnectionOption, connectTimeoutMs, isTls, openClient, type RedisConnection } from './connection.js';
import { deadline } from './deadlines.js';
import { kindIn, kindRefusing, type ServerKind, wrongKind } from './server-kind.js';
import { noHandshake, tlsTrouble } from './tls.js';

/** Where a connection leads. It is asked anew for each life of it: what has one name may have moved. */
export interface Target {
  /** For messages, without secrets. */
  readonly shown: string;
  /** What kind of server that must be. Default: a Redis by itself. */
  readonly kind?: ServerKind;
  /** It votes on who leads, and no queue is there. */
  readonly isVoter?: boolean;
  /** Where that is now, for the next client. Rejects when nobody knows. */
  locate(): Promise<ConnectionOption>;
  /** Looks whether a client that is connected leads to what was wanted; rejects when it does not. */
  confirm?(client: RedisConnection): Promise<void>;
  /** Of a node of a cluster: whether this error reply means that the connection leads elsewhere than it should by now. */
  misleads?(error: Error): boolean;
  /** Something that was sent there has had no answer for a second; again and again, as long as it has none. */
  onSilent?(): void;
  /** Calls back when what was wanted is elsewhere by now; until the function that it returns is called. */
  watch?(connection: ConnectionOption, onMoved: (error: Error) => void): () => void;
}

/**
 * One connection, from its first byte to its last, with a client object of its own.
 *
 * It is open when a nonce came back, and the server has its data in memory: a Redis that is loading, or a proxy with
 * nothing behind it, is not worth sending a command to. When nothing was heard for a while it asks for a nonce again.
 * PING would not do: a decoder that lost its place still answers it. Whatever goes wrong ends the life, once, and a
 * life that ended does not come back.
 */
export interface LifeParts {
  target: Target;
  clock: Clock;
  /** ECHO; on a connection that subscribes, and at a Sentinel, only PING is allowed. It too gives back its argument. */
  probe: 'ECHO' | 'PING';
  /** False while silence is as it should be: during a blocked read. */
  expectsAnswers: () => boolean;
  /** What must be done before it counts as open. */
  prepare?: ((client: RedisConnection) => Promise<unknown>) | undefined;
  /** Called once, when it is over. */
  onEnd: (error: Error) => void;
}

const answerMs = 2_000;
const locateMs = 5_000;
const silenceMs = 5_000;

export class Life {
  /** What the server calls this connection, for CLIENT UNBLOCK; empty when it does not tell. */
  clientId = '';
  /** Which server it leads to, by its run id; empty when that does not tell. */
  serverId = '';
  /** Unknown where INFO does not tell. */
  kind: ServerKind | undefined;
  /** Whoever gets an answer says so here. */
  heardAtMs = 0;
  readonly #parts: LifeParts;
  readonly #socket = new AbortController();
  #client: RedisConnection | undefined;
  #connecting = true;
  #isOpen = false;
  #endedBy: Error | undefined;
  #interrupt: ((error: Error) => void) | undefined;
  #cancelProbe: (() => void) | undefined;
  #unwatch: (() => void) | undefined;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  /** There is one once it is open. */
  get client(): RedisConnection {
    assert(this.#client, 'a life has no client before it is opened');
    return this.#client;
  }

  /** Why it takes so long, while it is not open. */
  get delay(): Error | undefined {
    return this.#connecting && this.#client && isTls(this.#client) ? new Error(noHandshake) : undefined;
  }

  get endedBy(): Error | undefined {
    return this.#endedBy;
  }

  /** Finds the server, connects and makes sure that somebody answers. Rejects with the reason, and then the life is over. */
  async open(): Promise<void> {
    try {
      const { target, prepare } = this.#parts;
      const connection = await this.#within(target.locate(), { ms: locateMs, what: 'finding the server' });
      this.#watch(connection);
      const client = this.#make(connection);
      await this.#within(client.connect(), { ms: connectTimeoutMs(connection), what: 'connecting' });
      await this.#within(this.#greet(), { ms: answerMs, what: this.#parts.probe });
      if (target.confirm) await this.#within(target.confirm(client), { ms: answerMs, what: 'its role' });
      if (prepare) await this.#within(prepare(client), { ms: answerMs, what: 'SUBSCRIBE' });
      if (this.#endedBy) throw this.#endedBy;
    } catch (error) {
      this.end(this.#reasonOf(error));
      throw this.#endedBy ?? error;
    }
    this.#isOpen = true;
    this.heardAtMs = this.#parts.clock.monotonicMs();
    this.#watchSilence(silenceMs);
  }

  /** From here on, for what connects to a host that is gone may do so for seconds. */
  #watch(connection: ConnectionOption): void {
    if (this.#endedBy) throw this.#endedBy;
    this.#unwatch = this.#parts.target.watch?.(connection, (error) => this.end(error));
  }

  /** Ends it; the socket is destroyed, whatever it was doing. */
  end(error: Error): void {
    if (this.#endedBy) return;
    this.#endedBy = error;
    this.#cancelProbe?.();
    this.#unwatch?.();
    this.#interrupt?.(error);
    if (this.#connecting) this.#socket.abort();
    else this.#hangUp();
    this.#parts.onEnd(error);
  }

  /** A client without a listener for errors would end the process. */
  #make(connection: ConnectionOption): RedisConnection {
    const client = openClient(connection, this.#socket.signal);
    client.on('error', (error) => this.#onError(error));
    client.on('connect', () => this.#onSocket());
    this.#client = client;
    return client;
  }

  /** All in one write. What else the server refuses here is not our business; loading is, and what kind of server it is. */
  async #greet(): Promise<void> {
    const nonce = newToken();
    const [echo, id, info, ready] = await Promise.all([
      this.client.sendCommand([this.#parts.probe, nonce]).catch((error: unknown) => error),
      this.client.sendCommand(['CLIENT', 'ID']).catch(() => ''),
      this.client.sendCommand(['INFO', 'server']).catch(() => ''),
      this.client.sendCommand(['DBSIZE']).catch((error: unknown) => error),
    ]);
    this.kind = kindIn(String(info));
    const wrong = this.#wrongKind(this.kind);
    if (wrong) throw wrong;
    if (echo instanceof Error) throw echo; // a Sentinel knows no ECHO
    if (ready instanceof Error && (!isErrorReply(ready) || isPassing(ready))) throw ready;
    checkNonce(echo, nonce);
    this.clientId = String(id);
    this.serverId = /^run_id:(\w+)/m.exec(String(info))?.[1] ?? '';
  }

  #wrongKind(found: ServerKind | undefined): Error | undefined {
    const { target } = this.#parts;
    return target.kind === 'sentinel' ? undefined : wrongKind(found, target); // that one is found out by what it is asked
  }

  #within<T>(work: Promise<T>, { ms, what }: { ms: number; what: string }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = deadline(this.#parts.clock, ms, () => reject(new Error(`${what}: no answer within ${ms} ms`)));
      this.#interrupt = (error) => {
        cancel();
        reject(error);
      };
      if (this.#endedBy) this.#interrupt(this.#endedBy);
      work.then(resolve, reject).finally(cancel);
    });
  }

  #watchSilence(ms: number): void {
    this.#cancelProbe = this.#parts.clock.after(ms, () => {
      const silentMs = this.#parts.clock.monotonicMs() - this.heardAtMs;
      if (silentMs < silenceMs) this.#watchSilence(silenceMs - silentMs);
      else if (this.#parts.expectsAnswers()) this.#probe();
      else this.#watchSilence(silenceMs);
    });
  }

  #probe(): void {
    const { clock, probe } = this.#parts;
    const nonce = newToken();
    this.#cancelProbe = deadline(clock, answerMs, () => {
      this.end(new Error(`${probe}: no answer within ${answerMs} ms`));
    });
    this.client.sendCommand([probe, nonce]).then(
      (reply) => {
        if (this.#endedBy) return;
        this.#cancelProbe?.();
        this.heardAtMs = clock.monotonicMs();
        if (String(reply) === nonce) this.#watchSilence(silenceMs);
        else this.end(mixedUp());
      },
      (error: unknown) => this.end(error instanceof Error ? error : new Error(messageOf(error))),
    );
  }

  /** Of a client that reconnects by itself this is the moment, and the only one, at which it still lets itself be stopped. */
  #onError(error: unknown): void {
    const reason = this.#reasonOf(error);
    this.#connecting = false;
    if (this.#endedBy) this.#hangUp();
    else this.end(reason);
  }

  /** Of TLS in words: what OpenSSL says, or a socket that was just closed, helps nobody. */
  #reasonOf(thrown: unknown): Error {
    const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    if (this.#isOpen || !this.#client) return error;
    const wrong = this.#wrongKind(kindRefusing(error));
    if (wrong) return wrong;
    const stage = this.#connecting ? 'connecting' : 'socket';
    const words = tlsTrouble(error, { isTls: isTls(this.#client), stage });
    return words === undefined ? error : new Error(words, { cause: error });
  }

  /** The client now has its socket. One that comes too late is closed when the client has finished its own work on it. */
  #onSocket(): void {
    this.#connecting = false;
    if (this.#endedBy) queueMicrotask(() => this.#hangUp());
  }

  #hangUp(): void {
    this.#client?.disconnect().catch(() => {}); // rejects when it is closed already
  }
}

function checkNonce(reply: unknown, nonce: string): void {
  if (String(reply) !== nonce) throw mixedUp();
}

function mixedUp(): Error {
  return new Error('got the answer to another question: replies are mixed up on this connection');
}

/** By name as well: a user's client may come from another copy of the package. */
export function isErrorReply(error: unknown): boolean {
  return error instanceof ErrorReply || (error instanceof Error && error.constructor.name === 'ErrorReply');
}

/** What a server says that can't serve just now, but may in a moment. */
export function isPassing(error: Error): boolean {
  return /^(?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ERR max number of clients)\b/.test(error.message);
}
