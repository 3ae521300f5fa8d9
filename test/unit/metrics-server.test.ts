import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Health } from '../../src/health.js';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Listening } from '../../src/metrics/server.js';

const open: Listening[] = [];
afterEach(async () => {
  for (const listening of open.splice(0)) await listening.close();
});

const well: Health = { ok: true, ready: true, problems: [] };

async function serve(health: () => Health = () => well, metrics = new Metrics()): Promise<Listening & { url: string }> {
  const listening = await metrics.listen({ port: 0, health });
  open.push(listening);
  return { ...listening, url: `http://127.0.0.1:${listening.port}` };
}

test('/metrics serves the Prometheus text, with the process metrics', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/metrics?x=1`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toMatch(/^process_cpu_seconds_total /m);
});

test.each<{ path: string; health: Health; status: number; body: string }>([
  { path: '/healthz', health: well, status: 200, body: 'ok\n' },
  { path: '/readyz', health: well, status: 200, body: 'ready\n' },
  {
    path: '/healthz',
    health: { ok: true, ready: false, problems: ['nobody leads "mail"'] },
    status: 200,
    body: 'ok\n',
  },
  {
    path: '/readyz',
    health: { ok: true, ready: false, problems: ['nobody leads "mail"', 'Redis is\nunreachable'] },
    status: 503,
    body: 'nobody leads "mail"\nRedis is unreachable\n',
  },
  { path: '/readyz', health: { ok: true, ready: false, problems: [] }, status: 503, body: 'not ready\n' },
  {
    path: '/healthz',
    health: { ok: false, ready: false, problems: ['the fetch loop ended'] },
    status: 503,
    body: 'the fetch loop ended\n',
  },
])('$path of $health is $status', async ({ path, health, status, body }) => {
  const { url } = await serve(() => health);
  const response = await fetch(url + path);
  expect([response.status, await response.text()]).toEqual([status, body]);
});

test('a health that throws is no health', async () => {
  const { url } = await serve(() => {
    throw new Error('our bug');
  });
  expect((await fetch(`${url}/healthz`)).status).toBe(500);
});

test('HEAD is GET without the body', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/readyz`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
  expect(response.headers.get('content-length')).toBe('6');
});

test.each(['/', '/metrics/', '/Metrics', '//metrics', '/healthz/../metrics2'])('%s is not found', async (path) => {
  const { url } = await serve();
  expect((await fetch(url + path)).status).toBe(404);
});

test('nothing but GET and HEAD is allowed', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

// Other systems than Linux have only 127.0.0.1 of that net.
test.skipIf(process.platform !== 'linux')('it listens on 127.0.0.1 only, unless told otherwise', async () => {
  const { port } = await serve();
  const socket = connect({ port, host: '127.0.0.2' }); // would answer if all addresses were listened on
  await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('a port that is taken is a clear error', async () => {
  const { port } = await serve();
  const second = new Metrics().listen({ port, health: () => well });
  await expect(second).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: expect.stringContaining(`can't serve metrics on 127.0.0.1:${port}: listen EADDRINUSE`),
  });
});

test('close does not wait for a client that keeps its connection, and can be called again', async () => {
  const { port, close } = await serve();
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.write('GET /metr'); // and never the rest
  socket.on('error', () => undefined); // a reset is an end too
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await close();
  await ended;
  await close();
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
});
