import type { TaskFailure } from '../task.js';

interface OfTask {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
}

/** What a worker tells its listeners. Payloads are not told: the handler has them. */
export interface WorkerEvents {
  completed: [OfTask & { readonly durationMs: number }];
  /** The handler threw or timed out; `retried` or `dead` follows once that is written. */
  failed: [OfTask & { readonly error: unknown; readonly failure: TaskFailure; readonly willRetry: boolean }];
  retried: [OfTask & { readonly delayMs: number }];
  dead: [OfTask & { readonly reason: string }];
  /** Taken over from a consumer whose lease ran out: it may have run before. */
  recovered: [OfTask & { readonly delivery: number }];
  /** Another consumer may have this task by now; its signal was aborted, and what it settles may be refused. */
  leaseLost: [OfTask];
  /** A handler called `ctx.log`. */
  log: [OfTask & { readonly message: string }];
  /** The world's fault: the worker goes on. */
  error: [error: unknown];
}

export type EmitWorkerEvent = <E extends keyof WorkerEvents>(event: E, ...args: WorkerEvents[E]) => void;
