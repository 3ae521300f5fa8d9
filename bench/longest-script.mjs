import { scripts } from '../dist/redis/scripts.generated.js';

/** Shorter ones are not noted, so that the log holds all that could be the longest. */
const fromMicros = 200;
const entriesMax = 100_000;
const calls = /^(?:evalsha|eval|fcall)(?:_ro)?$/i;
const names = new Map(scripts.map(({ sha1, name }) => [sha1, name]));

/** Finds the longest script a server runs between two looks, by its slowlog: the time in the script, not the wait for it. */
export class LongestScript {
  #server;

  constructor(server) {
    this.#server = server;
  }

  /** From now on. */
  async watch() {
    const { send } = this.#server;
    await send(['CONFIG', 'SET', 'slowlog-log-slower-than', String(fromMicros), 'slowlog-max-len', String(entriesMax)]);
    await send(['SLOWLOG', 'RESET']);
  }

  /** @returns {Promise<{ ms: number, name: string }>} since the watch began; what is below 0.2 ms counts as that */
  async take() {
    const entries = await this.#server.send(['SLOWLOG', 'GET', '-1']);
    if (entries.length >= entriesMax) throw new Error(`the slowlog holds ${entriesMax} entries: some may be lost`);
    let longest = { micros: fromMicros, name: 'none' };
    for (const [, , micros, [verb, script]] of entries) {
      if (calls.test(verb) && micros > longest.micros) longest = { micros, name: names.get(script) ?? verb };
    }
    return { ms: longest.micros / 1_000, name: longest.name };
  }
}
