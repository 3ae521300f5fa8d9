/**
 * What was made is kept by its name: up to `max`, and up to `charsMax` characters of names, which what is made of them grows
 * with. The one that was not asked for longest goes first.
 */
export class Kept<V> {
  readonly #made = new Map<string, V>();
  readonly #limits: { readonly max: number; readonly charsMax: number };
  readonly #make: (name: string) => V;
  #chars = 0;

  constructor(
    { max, charsMax = Number.POSITIVE_INFINITY }: { max: number; charsMax?: number },
    make: (name: string) => V,
  ) {
    this.#limits = { max, charsMax };
    this.#make = make;
  }

  of(name: string): V {
    const isKept = this.#made.has(name);
    const value = isKept ? (this.#made.get(name) as V) : this.#make(name);
    if (isKept) this.#made.delete(name);
    else this.#makeRoom(name);
    this.#made.set(name, value);
    return value;
  }

  #makeRoom(name: string): void {
    const { max, charsMax } = this.#limits;
    this.#chars += name.length;
    for (const oldest of this.#made.keys()) {
      if (this.#made.size < max && this.#chars <= charsMax) return;
      this.#made.delete(oldest);
      this.#chars -= oldest.length;
    }
  }
}
