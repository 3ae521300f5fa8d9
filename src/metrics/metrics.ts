import { Registry } from 'prom-client';
import { type Clock, systemClock } from '../clock.js';
import type { Observe } from '../events.js';
import { Depths, type WatchedQueue } from './depths.js';
import { addProcessMetrics } from './process-metrics.js';
import { Recorder } from './recorder.js';
import { scrape } from './scrape.js';
import { prefix, seriesOf } from './series.js';
import { type ListenOptions, type Listening, listen } from './server.js';

export interface MetricsOptions {
  /** A prom-client registry to add to. Default: one of its own, so that two libraries can't collide. */
  readonly registry?: Registry;
  /** Serve CPU, memory and event loop of the process too. Default: true in an own registry, false in a handed-in one. */
  readonly defaultMetrics?: boolean;
  readonly clock?: Clock;
}

interface Parts {
  readonly recorder: Recorder;
  readonly depths: Depths;
}

/** A name is registered once per registry: a second Metrics on it shares what the first one made. */
const partsByRegistry = new WeakMap<Registry, Parts>();

/**
 * The metrics of a process. Hand `observe` to queues, workers and leaders, and serve `text()`, or `listen`.
 *
 * It promises that the scrape comes whatever happens to Redis, that the number of series is bounded, and that no
 * payload is ever in it. Known series start at 0, so that `rate()` and `increase()` see the first event too.
 */
export class Metrics {
  readonly registry: Registry;
  /** Takes what queues, workers and leaders tell. Bound: it can be handed on as it is. */
  readonly observe: Observe;
  readonly #clock: Clock;
  readonly #parts: Parts;

  constructor({ registry, defaultMetrics = registry === undefined, clock = systemClock }: MetricsOptions = {}) {
    this.registry = registry ?? new Registry();
    this.#clock = clock;
    this.#parts = partsOf(this.registry, clock);
    if (defaultMetrics) addProcessMetrics(this.registry);
    this.observe = (observation) => this.#parts.recorder.record(observation);
  }

  /** Makes known which names are handled in a queue: their series start at 0 and are never folded into 'other'. */
  expect(queue: string, names: readonly string[] = []): void {
    this.#parts.recorder.expect(queue, names);
  }

  /** Serves the depths of a queue too, read at each scrape. A second queue of the same name takes the first's place. */
  watch(queue: WatchedQueue): void {
    this.#parts.depths.watch(queue);
  }

  /** The Prometheus text. It does not reject, and comes within 2 s even when Redis does not answer. */
  text(): Promise<string> {
    return scrape(this.registry, this.#clock);
  }

  /** Serves /metrics, /healthz and /readyz. */
  listen(options: ListenOptions): Promise<Listening> {
    return listen(options, { contentType: this.registry.contentType, text: () => this.text() });
  }
}

function partsOf(registry: Registry, clock: Clock): Parts {
  const known = partsByRegistry.get(registry);
  // After registry.clear() the old series are served no more: make them again.
  if (known && registry.getSingleMetric(`${prefix}redis_up`)) return known;
  const series = seriesOf(registry);
  const parts = { recorder: new Recorder(series, clock), depths: new Depths(series, clock) };
  partsByRegistry.set(registry, parts);
  return parts;
}
