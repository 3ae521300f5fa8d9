import { DuestreamError, messageOf } from '../errors.js';
import { isErrorReply, isPassing, type Target } from './life.js';
import type { Ordered } from '../in-order.js';
import type { Reply } from './reply.js';
import { wrongKind } from './server-kind.js';

/** One command on its way through a link. Without arguments it only waits for a connection. */
export interface Call extends Ordered<Call> {
  readonly args: readonly string[];
  readonly verb: string;
  readonly madeAtMs: number;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly blocking: boolean;
  /** Whether what it took tells something: not so when it, or what it waits behind, blocks on purpose. */
  readonly isTimed: boolean;
  sent: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Why a call has no reply. */
export type Fault =
  /** It waited for a connection until its deadline; `last` is what the last try met. */
  | { kind: 'not_sent'; last: Error | undefined }
  /** It is bound to a connection that is no more. */
  | { kind: 'other_life' }
  | { kind: 'no_reply' }
  /** Sent, and then the connection ended. */
  | { kind: 'lost'; error: Error }
  /** Redis answered with an error. */
  | { kind: 'refused'; error: Error }
  /** It could not even be put into bytes. */
  | { kind: 'unfit'; error: Error }
  /** The link was stopped when it had been sent. */
  | { kind: 'stopped' }
  /** The link was stopped before. */
  | { kind: 'closed' };

/** What the rejection of a command that was given to node-redis means. */
export function faultOf(thrown: unknown): Fault {
  const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
  if (isErrorReply(error)) return { kind: 'refused', error };
  return error instanceof TypeError ? { kind: 'unfit', error } : { kind: 'lost', error };
}

/** Whether a failed connection needs to be told to those who wait: a wrong password does not come right in seconds. */
export function isLasting(error: Error): boolean {
  return error instanceof DuestreamError || (isErrorReply(error) && !isPassing(error));
}

/**
 * Whether it is the word of a replica, or of a master that lost its own (min-replicas-to-write). After a failover behind
 * an address that stays, the old connection still leads to the server that was demoted, for ever, and before that to one
 * that takes no writes; a new one leads to the server that the address means now.
 */
export function isOfFormerMaster(fault: Fault): boolean {
  return fault.kind === 'refused' && /^(?:READONLY|MASTERDOWN|NOREPLICAS)\b/.test(fault.error.message);
}

/** What a node of a cluster says to who takes it for a Redis by itself, where INFO did not tell what it is. */
export function ofStranger(fault: Fault, target: Target): Fault {
  if (fault.kind !== 'refused' || !/^(?:MOVED|ASK) /.test(fault.error.message)) return fault;
  return { kind: 'refused', error: wrongKind('cluster', target) ?? fault.error };
}

export function errorOf(call: Call, fault: Fault, where: string): DuestreamError {
  const { verb } = call;
  const timeoutMs = Math.round(call.timeoutMs);
  switch (fault.kind) {
    case 'not_sent': {
      const why = fault.last ? reasonOf(fault.last) : 'no connection was made';
      return unreachable(
        `${where} could not be reached within ${timeoutMs} ms, ${verb} was not sent: ${why}`,
        fault.last,
      );
    }
    case 'other_life':
      return unreachable(`${where}: the connection that ${verb} belongs to is gone, it was not sent`);
    case 'no_reply':
      return unknown(`${where} did not answer ${verb} within ${timeoutMs} ms: it may or may not have happened`);
    case 'lost':
      return unknown(
        `${where}: the connection was lost before ${verb} was answered, it may or may not have happened: ${reasonOf(fault.error)}`,
        fault.error,
      );
    case 'refused':
      if (fault.error instanceof DuestreamError) return fault.error;
      return new DuestreamError('ERR_REDIS_REPLY', fault.error.message, { cause: fault.error });
    case 'unfit':
      return new DuestreamError('ERR_INVALID_ARGUMENT', `${verb} has an argument that is not a string`, {
        cause: fault.error,
      });
    case 'stopped':
      return unknown(`${where} was closed before ${verb} was answered: it may or may not have happened`);
    case 'closed':
      return new DuestreamError('ERR_CLOSED', `${where} is closed, ${verb} was not sent`);
  }
}

function unreachable(message: string, cause?: Error): DuestreamError {
  return new DuestreamError('ERR_REDIS_UNREACHABLE', message, cause && { cause });
}

function unknown(message: string, cause?: Error): DuestreamError {
  return new DuestreamError('ERR_OUTCOME_UNKNOWN', message, cause && { cause });
}

/** Node gives the error of a host with several addresses no message of its own. */
export function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first === undefined ? error.name : messageOf(first);
}
