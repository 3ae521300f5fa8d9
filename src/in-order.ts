import { assert } from './errors.js';

/** Where an entry stands, and between which others. */
interface Position<E> {
  readonly list: object;
  readonly entry: E;
  before: Position<E> | undefined;
  after: Position<E> | undefined;
}

/** What can stand in one InOrder at a time; undefined: it stands in none. */
export interface Ordered<E> {
  position: Position<E> | undefined;
}

/**
 * Entries in the order in which they came, each out again in one step.
 *
 * Not a Set, for what came and went in one leaves garbage that keeps garbage: it moves to a new table every so many
 * entries, and the old table keeps what was in it, and the new one. Where V8 has once taken a table for old, which it does
 * when nothing came for two of its small collections, all that comes later lives until the next full one.
 */
export class InOrder<E extends Ordered<E>> {
  #first: Position<E> | undefined;
  #last: Position<E> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(entry: E): boolean {
    return entry.position?.list === this;
  }

  /** Nothing happens when it is there already. */
  add(entry: E): void {
    if (this.has(entry)) return;
    assert(entry.position === undefined, 'an entry can stand in one list at a time');
    const last = this.#last;
    const position: Position<E> = { list: this, entry, before: last, after: undefined };
    entry.position = position;
    if (last) last.after = position;
    else this.#first = position;
    this.#last = position;
    this.#size += 1;
  }

  /** False when it was not there. */
  delete(entry: E): boolean {
    const { position } = entry;
    if (position?.list !== this) return false;
    const { before, after } = position;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    position.before = undefined; // what has gone keeps nothing
    position.after = undefined;
    entry.position = undefined;
    this.#size -= 1;
    return true;
  }

  find(wanted: (entry: E) => boolean): E | undefined {
    let at = this.#first;
    while (at && !wanted(at.entry)) at = at.after;
    return at?.entry;
  }

  /** Those that are there now, without what goes before its turn. */
  *[Symbol.iterator](): IterableIterator<E> {
    const entries: E[] = [];
    for (let at = this.#first; at; at = at.after) entries.push(at.entry);
    for (const entry of entries) if (this.has(entry)) yield entry;
  }
}
