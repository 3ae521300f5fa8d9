import type { Settled } from './task.js';

/**
 * What happens inside, told to whoever was handed in as `observe`: the metrics, a log, a test. An observer gets names
 * and numbers, never payloads. It must not throw; if it does, that is swallowed.
 */
export type Observation =
  | { type: 'added'; queue: string; name: string; status: 'scheduled' | 'ready' | 'duplicate'; count: number }
  | { type: 'seat'; queue: string; event: SeatEvent; leading: boolean; term: number }
  /** Elected, or renewed: until then this process takes itself for the leader, on its own monotonic clock. */
  | { type: 'trusted'; queue: string; term: number; untilMs: number }
  | {
      type: 'promoted';
      queue: string;
      count: number;
      dropped: number;
      lagMs: number;
      durationMs: number;
      withoutLeader: boolean;
    }
  /** Of a schedule, decided by the leader; `lateMs`, where they were fired: of the last one. */
  | {
      type: 'occurrences';
      queue: string;
      outcome: 'fired' | 'missed' | 'coalesced' | 'overlap' | 'paused';
      count: number;
      lateMs?: number;
    }
  | { type: 'stale_write_refused'; queue: string; op: string }
  | { type: 'swept'; queue: string; count: number }
  | { type: 'stale_entries'; queue: string; count: number }
  | { type: 'started'; queue: string; name: string; delayMs: number }
  | { type: 'settled'; queue: string; name: string; outcome: Settled; durationMs?: number }
  | { type: 'recovered'; queue: string; name: string; id: string; attempt: number; delivery: number }
  | { type: 'lease_lost'; queue: string; name: string; id: string }
  | { type: 'settle_failed'; queue: string; name: string; id: string }
  | { type: 'in_flight'; queue: string; worker: string; inFlight: number; concurrency: number }
  | { type: 'recovery_on_hold'; queue: string; onHold: boolean }
  | { type: 'redis_up'; connection: string; up: boolean }
  | { type: 'redis_closed'; connection: string }
  | { type: 'redis_reconnected'; connection: string }
  /** `error`, where a connection could not be made: why. */
  | { type: 'redis_error'; connection: string; kind: 'connect' | 'lost' | 'timeout' | 'reply'; error?: Error }
  | { type: 'redis_command'; op: string; durationMs: number }
  /** Told once, after the start: how this Redis can lose what it has acknowledged, in words. */
  | { type: 'at_risk'; risks: readonly string[] }
  | { type: 'error'; queue: string; where: string; error: unknown };

export type SeatEvent = 'elected' | 'resigned' | 'lost' | 'refused';

export type Observe = (observation: Observation) => void;

/** Tells several observers, and swallows what they throw: nobody's log may stop a queue. */
export function tellAll(observers: readonly (Observe | undefined)[]): Observe {
  return (observation) => {
    for (const observe of observers) {
      try {
        observe?.(observation);
      } catch {
        // An observer's own fault: it is not ours to handle, and not worth a task.
      }
    }
  };
}
