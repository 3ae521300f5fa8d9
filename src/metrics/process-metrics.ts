import { collectDefaultMetrics, Registry } from 'prom-client';

/** Their names end in `_total` and they are no counters: `promtool check metrics` refuses them. */
const refused = new Set([
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]);

/**
 * Adds CPU, memory, event loop and so on of this process, under the names every Node dashboard knows. They are made
 * aside first, for prom-client makes all or none. A registry that has them already is left as it is.
 */
export function addProcessMetrics(registry: Registry): void {
  if (registry.getSingleMetric('process_cpu_seconds_total') !== undefined) return;
  const aside = new Registry();
  collectDefaultMetrics({ register: aside });
  for (const { name } of aside.getMetricsAsArray()) {
    const metric = aside.getSingleMetric(name);
    if (metric && !refused.has(name) && !registry.getSingleMetric(name)) registry.registerMetric(metric);
  }
}
