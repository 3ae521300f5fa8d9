/** What was made is kept by its name, up to `max`; the one that was not asked for longest goes first. */
export class Kept<V> {
  readonly #made = new Map<string, V>();
  readonly #max: number;
  readonly #make: (name: string) => V;

  constructor(max: number, make: (name: string) => V) {
    this.#max = max;
    this.#make = make;
  }

  of(name: string): V {
    const found = this.#made.get(name);
    const value = found ?? this.#make(name);
    if (found !== undefined) this.#made.delete(name);
    else if (this.#made.size >= this.#max) this.#forgetOldest();
    this.#made.set(name, value);
    return value;
  }

  #forgetOldest(): void {
    for (const oldest of this.#made.keys()) {
      this.#made.delete(oldest);
      return;
    }
  }
}
