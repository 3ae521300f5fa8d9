import type { Call } from './call.js';

/** How a command is to be asked. */
export interface Asked {
  readonly timeoutMs: number;
  /** Default: the verb. */
  readonly op?: string | undefined;
  /** Default: no. */
  readonly blocking?: boolean;
  /** Default: yes. */
  readonly isTimed?: boolean;
}

export function newCall({
  args,
  on: { timeoutMs, op, blocking = false, isTimed = true },
  madeAtMs,
  resolve,
  reject,
}: Pick<Call, 'args' | 'madeAtMs' | 'resolve' | 'reject'> & { on: Asked }): Call {
  const verb = op ?? args[0] ?? 'the wait for a connection';
  const deadlineMs = madeAtMs + timeoutMs;
  return {
    args,
    verb,
    madeAtMs,
    timeoutMs,
    deadlineMs,
    blocking,
    isTimed,
    sent: false,
    resolve,
    reject,
    position: undefined,
  };
}
