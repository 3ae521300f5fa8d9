import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { invalid, messageOf } from '../errors.js';
import type { Health } from '../health.js';

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1: metrics name queues and tasks, which is not for everybody. '0.0.0.0' serves the network. */
  readonly host?: string;
  readonly health: () => Health;
}

export interface Listening {
  readonly port: number;
  /** Stops serving at once; a scrape on its way is cut. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

interface Page {
  readonly contentType: string;
  readonly text: () => Promise<string>;
}

/**
 * Three pages over HTTP: /metrics for Prometheus, /healthz and /readyz for whoever starts and routes. It only reads,
 * takes no input but the path, and answers with or without Redis.
 */
export async function listen(options: ListenOptions, metrics: Page): Promise<Listening> {
  const server = createServer((request, response) => {
    void answer(request, options.health, metrics).then((given) => send(response, given));
  });
  await bind(server, options);
  // A failed accept (no file descriptors left) is an 'error' too, and must not end a process that works.
  server.on('error', () => undefined);
  const { port } = server.address() as AddressInfo;
  return { port, close: () => close(server) };
}

function bind(server: Server, { port, host = '127.0.0.1' }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(invalid(`can't serve metrics on ${host}:${port}: ${error.message}`));
    server.once('error', refuse);
    server.listen({ port, host }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve()); // says so when it is closed already: nothing to do then
    server.closeAllConnections();
  });
}

async function answer(request: IncomingMessage, health: () => Health, metrics: Page): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, body: 'only GET and HEAD\n', headers: { allow: 'GET, HEAD' } };
  try {
    switch (request.url?.split('?', 1)[0]) {
      case '/metrics':
        return { status: 200, body: await metrics.text(), headers: { 'content-type': metrics.contentType } };
      case '/healthz':
        return verdict(health(), 'ok');
      case '/readyz':
        return verdict(health(), 'ready');
      default:
        return { status: 404, body: 'not found: /metrics, /healthz and /readyz are here\n' };
    }
  } catch (error) {
    return { status: 500, body: `${oneLine(messageOf(error))}\n` };
  }
}

function verdict(health: Health, word: 'ok' | 'ready'): Answer {
  if (health[word]) return { status: 200, body: `${word}\n` };
  const problems = health.problems.length > 0 ? health.problems : [`not ${word}`];
  return { status: 503, body: problems.map((problem) => `${oneLine(problem)}\n`).join('') };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body); // Node leaves the body out when the request was a HEAD
}
