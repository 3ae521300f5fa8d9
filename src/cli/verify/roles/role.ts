import type { Observe } from '../../../index.js';
import type { HistoryWriter } from '../history/writer.js';
import type { Setting } from './setting.js';

export interface RoleParts {
  readonly setting: Setting;
  readonly writer: HistoryWriter;
  /** Metrics and history. */
  readonly observe: Observe;
}

/** What a process does between its first and its last order. */
export interface Role {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A producer's: adds no more, and has an answer to every call. */
  quiet?(): Promise<void>;
  bulk?(tasks: number): void;
  /** A worker's: the next chance to die. */
  die?(where: 'handler' | 'before_settle'): void;
}
