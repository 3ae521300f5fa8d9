import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchRedis } from '../dist/testing.js';

const { createClient } = createRequire(new URL('../package.json', import.meta.url))('redis');

/** The Redis of one benchmark: its own, on a free port of the loopback, with the persistence that was asked for. */
export class Server {
  #redis;
  #client;

  static async launch(persistence) {
    return Server.over(await launchRedis({ port: 'free', appendonly: persistence === 'none' ? 'no' : persistence }));
  }

  /** Takes a server that was just started, and stops it at the end. */
  static async over(redis) {
    const client = createClient({ url: redis.url });
    client.on('error', () => {}); // the command that meets it rejects
    try {
      await client.connect();
    } catch (error) {
      await redis.stop();
      throw error;
    }
    return new Server(redis, client);
  }

  constructor(redis, client) {
    this.#redis = redis;
    this.#client = client;
  }

  get url() {
    return this.#redis.url;
  }

  send = (args) => this.#client.sendCommand(args);

  async stop() {
    await this.#client.disconnect().catch(() => {});
    await this.#redis.stop();
  }

  /** Nothing is left of the run before, not even work: the append-only file starts small again. */
  async empty() {
    await this.send(['FLUSHALL', 'SYNC']);
    const { aof_enabled: hasFile } = await this.info('persistence');
    if (hasFile !== '1') return;
    await this.#untilRewritten(); // of one that was under way, which would refuse ours
    await this.send(['BGREWRITEAOF']);
    await this.#untilRewritten();
  }

  async #untilRewritten() {
    for (;;) {
      const { aof_rewrite_in_progress: rewriting, aof_rewrite_scheduled: scheduled } = await this.info('persistence');
      if (rewriting === '0' && scheduled === '0') return;
      await sleep(10);
    }
  }

  /** @returns {Promise<Record<string, string>>} */
  async info(section) {
    const text = await this.send(['INFO', section]);
    return Object.fromEntries(text.split('\r\n').map((line) => line.split(/:(.*)/s, 2)));
  }

  async cpuMicros() {
    const { used_cpu_user: user, used_cpu_sys: system } = await this.info('cpu');
    return (Number(user) + Number(system)) * 1e6;
  }

  /** What it holds, without the buffers of clients and of the append-only file, which come and go. */
  async memoryBytes() {
    const { used_memory: used, mem_clients_normal: clients, mem_aof_buffer: buffer } = await this.info('memory');
    return Number(used) - Number(clients) - Number(buffer);
  }

  /** The addresses of the clients that are connected now. */
  async clientAddresses() {
    const list = await this.send(['CLIENT', 'LIST']);
    return new Set(Array.from(list.matchAll(/ addr=(\S+)/g), ([, address]) => address));
  }

  /**
   * How many commands clients send while `waiting`: those of scripts are not counted, nor those of `except`. Our own
   * client is silent meanwhile.
   */
  async countCommands(waiting, except = new Set()) {
    const socket = connect(Number(new URL(this.url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (piece) => {
      text += String(piece);
    });
    socket.on('error', () => {}); // then there is no OK below
    socket.write('MONITOR\r\n');
    await waiting.finally(() => socket.destroy());
    if (!text.startsWith('+OK')) throw new Error('Redis did not answer to MONITOR');
    const senders = Array.from(text.matchAll(/^\+\d+\.\d+ \[\d+ (\S+)\] "/gm), ([, sender]) => sender);
    return senders.filter((sender) => sender !== 'lua' && !except.has(sender)).length;
  }
}
