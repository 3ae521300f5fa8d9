import { type Clock, systemClock } from '../../src/clock.js';

/** The real clock, which knows how many timers wait: 0 when everything was cleaned up. */
export class CountingClock implements Clock {
  pending = 0;

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.pending += 1;
    await systemClock.sleep(ms, signal);
    this.pending -= 1;
  }

  after(ms: number, callback: () => void): () => void {
    let open = true;
    const close = (): void => {
      if (open) this.pending -= 1;
      open = false;
    };
    this.pending += 1;
    const cancel = systemClock.after(ms, () => {
      close();
      callback();
    });
    return () => {
      close();
      cancel();
    };
  }
}
