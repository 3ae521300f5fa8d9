import type { Gauge, Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import { prefix } from './series.js';
import { within } from './within.js';

const successName = `${prefix}collector_success`;

/** Above the deadline of the depths, and below what a scrape waits. */
const deadlineMs = 2_000;

/**
 * The registry's text, without the metrics that can't be collected: `registry.metrics()` fails as a whole when one
 * of them rejects, and waits as long as one of them hangs. `collector_success` is rendered last, to tell of them.
 */
export async function scrape(registry: Registry, clock: Clock): Promise<string> {
  const render = (name: string): Promise<string> => within(registry.getSingleMetricAsString(name), deadlineMs, clock);
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const rendered = await Promise.allSettled(names.filter((name) => name !== successName).map(render));
  const texts = rendered.filter((each) => each.status === 'fulfilled').map(({ value }) => value);
  const success = registry.getSingleMetric(successName) as Gauge<'collector'> | undefined;
  success?.set({ collector: 'registry' }, texts.length === rendered.length ? 1 : 0);
  if (success) texts.push(await render(successName));
  return `${texts.join('\n\n')}\n`;
}
