import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { scripts } from '../../dist/redis/scripts.generated.js';

const line = /^\+\S+ \[\d+ ([^\]]*)\] "([^"]*)"(?: "([^"]*)")?/;
const blocking = /" "BLOCK" "(\d+)"/i;
/** So often in a row nothing may have moved: a reply is on its way to us, what it brings about is sent after that. */
const quietRounds = 3;

/**
 * Counts the commands of a Redis server: those that clients send, the script calls among them, and those that scripts
 * make. INFO commandstats gives only the sum, in which a script's XREADGROUP looks like a reader's, so MONITOR tells them
 * apart; the sum must come out the same.
 */
export class Meter {
  #link;
  #socket;
  /** By their hash; what is not in it are the scripts of redlock. */
  #names = new Map();
  #marks = new Map();
  #marked = 0;
  #count = noCount();
  /** What ends blocked reads and is not over: MONITOR does not show it, and what it brings about comes after it. */
  #ending = Promise.resolve();
  /** Called when somebody blocks for `ms`. */
  onBlock = () => {};

  constructor(link, server) {
    this.#link = link;
    this.#socket = connect(server.socketPath);
  }

  /** The scripts are made known, so that none is sent a second time as EVAL. */
  async start() {
    createInterface({ input: this.#socket }).on('line', (text) => this.#see(text));
    this.#socket.write('MONITOR\r\n');
    for (const { source, name, sha1 } of scripts) {
      await this.#link.send(['SCRIPT', 'LOAD', source]);
      this.#names.set(sha1, name);
    }
    await this.mark();
  }

  async stop() {
    await this.#ending;
    this.#socket.destroy();
  }

  /** Resolves when all that Redis did before now was seen. */
  async mark() {
    this.#marked += 1;
    const name = `mark:${this.#marked}`;
    const seen = new Promise((resolve) => this.#marks.set(name, resolve));
    await this.#link.send(['ECHO', name]);
    await seen;
  }

  /** Resolves when nothing moves: nobody sends, and nothing that waits for its turn here would. */
  async quiet() {
    for (let rounds = 0; rounds < quietRounds; rounds += 1) {
      const before = this.#count.seen;
      await this.#ending;
      await this.mark();
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#count.seen !== before) rounds = -1;
    }
  }

  /** What `work` costs, from quiet to quiet. */
  async count(work) {
    await this.quiet();
    this.#count = noCount();
    const marked = this.#marked;
    await this.#link.send(['CONFIG', 'RESETSTAT']);
    await work();
    await this.quiet();
    const count = this.#count;
    this.#count = noCount();
    const info = await this.#link.send(['INFO', 'commandstats']);
    checkSum(count, sumOf(info) - (this.#marked - marked));
    return count;
  }

  /** Ends the reads that block, as if their time were up. Whatever waits for quiet waits for it too. */
  endBlocked() {
    this.#ending = Promise.all([this.#ending, this.#unblockAll()]);
  }

  async #unblockAll() {
    const clients = await this.#link.send(['CLIENT', 'LIST']);
    for (const [, id] of clients.matchAll(/^id=(\d+) .* flags=\w*b/gm))
      await this.#link.send(['CLIENT', 'UNBLOCK', id]);
  }

  #see(text) {
    const [, from, verb, first] = line.exec(text) ?? [];
    if (from === undefined) return;
    const mark = this.#marks.get(first);
    if (mark !== undefined) {
      this.#marks.delete(first);
      mark();
      return;
    }
    this.#count.seen += 1;
    const name = verb.toLowerCase();
    if (from === 'lua') {
      this.#count.inside += 1;
      return;
    }
    this.#count.sent += 1;
    if (name === 'evalsha' || name === 'eval') {
      this.#count.scripts += 1;
      add(this.#count.verbs, this.#names.get(first) ?? 'lock');
    } else add(this.#count.verbs, verb.toUpperCase());
    const blocks = name === 'xreadgroup' && blocking.exec(text);
    if (blocks) this.onBlock(Number(blocks[1]));
  }
}

function noCount() {
  return { seen: 0, sent: 0, scripts: 0, inside: 0, verbs: new Map() };
}

function add(tally, name) {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}

/** Without what MONITOR leaves out, which is what the guard itself asks for. */
function sumOf(info) {
  const lines = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const counted = lines.filter(([, name]) => !/^(?:info|config\||client\||monitor|script\|)/.test(name));
  return counted.reduce((sum, [, , calls]) => sum + Number(calls), 0);
}

/** A read that blocks counts when it begins for the one and when it ends for the other. */
function checkSum({ sent, inside }, sum) {
  const found = sent + inside;
  if (Math.abs(found - sum) > 2) throw new Error(`MONITOR showed ${found} commands, INFO commandstats counted ${sum}`);
}
