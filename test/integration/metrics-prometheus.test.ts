import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Listening } from '../../src/metrics/server.js';

/** A real Prometheus scrapes a real endpoint and loads the shipped alerts: what it takes is what counts. */
const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined;
const skipped = hasPrometheus ? '' : ' (skipped: prometheus is not installed)';
const alertsPath = fileURLToPath(new URL('../../docs/alerts.yml', import.meta.url));

const metrics = new Metrics();
let served: Listening;
let prometheus: ChildProcess;
let folder: string;
let api: string;
let log = '';

beforeAll(async () => {
  if (!hasPrometheus) return;
  served = await metrics.listen({ port: 0, health: () => ({ ok: true, ready: true, problems: [] }) });
  folder = mkdtempSync(join(tmpdir(), 'duestream-prometheus-'));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${JSON.stringify(alertsPath)}]
scrape_configs: [{ job_name: duestream, static_configs: [{ targets: ['127.0.0.1:${served.port}'] }] }]
`,
  );
  const port = await freePort();
  api = `http://127.0.0.1:${port}/api/v1`;
  const flags = {
    'config.file': 'prometheus.yml',
    'storage.tsdb.path': 'tsdb',
    'web.listen-address': `127.0.0.1:${port}`,
  };
  prometheus = spawn(
    'prometheus',
    Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  prometheus.stderr?.on('data', (chunk) => {
    log += chunk;
  });
});

afterAll(async () => {
  if (!hasPrometheus) return;
  if (prometheus.exitCode === null && prometheus.kill('SIGTERM')) await once(prometheus, 'exit');
  await served.close();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The values of a query, by the time they are there. */
async function valuesOf(query: string, ready: (values: number[]) => boolean): Promise<number[]> {
  return vi.waitFor(
    async () => {
      if (prometheus.exitCode !== null) throw new Error(`prometheus ended:\n${log}`);
      const response = await fetch(`${api}/query?query=${encodeURIComponent(query)}`);
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      const values = data.result.map(({ value }) => Number(value[1]));
      if (!ready(values)) throw new Error(`${query} gives [${values.join()}]\n${log}`);
      return values;
    },
    { timeout: 30_000, interval: 100 },
  );
}

test.skipIf(!hasPrometheus)(
  `Prometheus scrapes it, and sees the first event of a known series as an increase${skipped}`,
  async () => {
    metrics.expect('mail', ['welcome']);
    metrics.observe({ type: 'started', queue: 'mail', name: 'welcome', delayMs: 1.2 });
    expect(await valuesOf('up{job="duestream"}', ([up]) => up === 1)).toEqual([1]);
    const dead = 'duestream_tasks_settled_total{queue="mail",name="welcome",outcome="dead"}';
    expect(await valuesOf(dead, ([count]) => count === 0)).toEqual([0]);
    metrics.observe({ type: 'settled', queue: 'mail', name: 'welcome', outcome: 'dead', durationMs: 3 });
    await valuesOf(`increase(${dead}[1m])`, ([increase]) => increase !== undefined && increase > 0);
    await valuesOf('ALERTS{alertname="DuestreamDeadLetters",alertstate="firing"}', ([firing]) => firing === 1);
    await valuesOf('histogram_quantile(0.5, duestream_task_start_delay_seconds_bucket)', ([p50]) => {
      return p50 !== undefined && p50 > 0.001 && p50 <= 0.0015;
    });
  },
  60_000,
);
