import { Metrics, type Observation } from '../../../index.js';
import { lineOf } from '../../failure.js';
import { nowMs, sharedClockOffsetMs } from '../history/instant.js';
import { HistoryWriter } from '../history/writer.js';
import { leader } from './leader.js';
import { noteError } from './note-error.js';
import { producer } from './producer.js';
import type { Role, RoleParts } from './role.js';
import type { Message, Order, Setting } from './setting.js';
import { worker } from './worker.js';

/**
 * One process of the campaign: a producer, a leader candidate or a worker. Orders come by IPC. It leaves in good order
 * when it is told to or by SIGTERM, and at once when whoever started it is gone.
 */
const roles = { producer, leader, worker } as const;

interface Running {
  readonly role: Role;
  readonly writer: HistoryWriter;
  readonly metrics: Metrics;
}

let running: Running | undefined;

function tell(message: Message): void {
  if (process.connected) process.send?.(message);
}

async function prepare(setting: Setting): Promise<void> {
  const writer = new HistoryWriter(setting.historyFolder, setting.name);
  const metrics = new Metrics({ defaultMetrics: false });
  const offsetMs = sharedClockOffsetMs();
  const observe = (seen: Observation): void => {
    metrics.observe(seen);
    if (seen.type === 'seat') writer.note({ what: 'seat', event: seen.event, term: seen.term });
    if (seen.type === 'trusted') writer.note({ what: 'trust', term: seen.term, untilMs: seen.untilMs + offsetMs });
    if (seen.type === 'stale_write_refused') writer.note({ what: 'stale_write_refused', op: seen.op });
  };
  process.on('warning', (warning) => noteError(writer, warning));
  const parts: RoleParts = { setting, writer, observe };
  const role = roles[setting.role](parts);
  running = { role, writer, metrics };
  await role.start();
  tell({ type: 'ready' });
}

async function leave(): Promise<never> {
  if (running) {
    const { role, writer, metrics } = running;
    await role.stop();
    writer.note({ what: 'metrics', samples: samplesOf(await metrics.text()) });
    writer.close();
  }
  process.exit(0);
}

/** The counters of the Prometheus text: `name{labels}` → value. */
function samplesOf(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^(duestream_\w+_total(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) samples[name] = Number(value);
  }
  return samples;
}

/** For a while nothing else happens in this process, and no beat is sent. */
function block(ms: number): void {
  const endMs = nowMs() + ms;
  while (nowMs() < endMs);
}

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'prepare':
      return prepare(order.setting);
    case 'quiet':
      await running?.role.quiet?.();
      return tell({ type: 'quiet' });
    case 'bulk':
      return running?.role.bulk?.(order.tasks);
    case 'die':
      return running?.role.die?.(order.where);
    case 'block':
      return block(order.ms);
    case 'stop':
      return leave();
  }
}

process.on('SIGINT', () => {}); // Ctrl-C reaches all at the terminal; the campaign ends this process when it is time
process.on('SIGTERM', () => void leave());
process.on('disconnect', () => process.exit(1));
process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => tell({ type: 'failed', text: lineOf(error) }));
});
