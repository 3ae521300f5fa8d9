/**
 * Keeps a label bounded whose values come from user data. The first `max` distinct values of a scope (a queue) are
 * kept as they are, all later ones count as 'other': one program that puts an id into its task names must not fill
 * the memory of the process and of Prometheus. Expected values, those of the code, are always kept.
 */
export class LabelCap {
  readonly #max: number;
  readonly #kept = new Map<string, Set<string>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Keeps a value that the code knows; true when it is new. */
  expect(scope: string, value: string): boolean {
    const kept = this.#keptOf(scope);
    if (kept.has(value)) return false;
    kept.add(value);
    return true;
  }

  /** The label to count under, and whether it is new. */
  admit(scope: string, value: string): { label: string; isNew: boolean } {
    const kept = this.#keptOf(scope);
    if (kept.has(value)) return { label: value, isNew: false };
    const label = kept.size < this.#max && isReasonable(value) ? value : other;
    return { label, isNew: this.expect(scope, label) };
  }

  #keptOf(scope: string): Set<string> {
    let kept = this.#kept.get(scope);
    if (kept === undefined) {
      kept = new Set();
      this.#kept.set(scope, kept);
    }
    return kept;
  }
}

const other = 'other';

/**
 * Records of other languages come unchecked: no long names, and none that would change when written as UTF-8. Nor is
 * an empty one kept, of a task handed back before its record was read: to Prometheus that is no label at all.
 */
function isReasonable(value: string): boolean {
  return value !== '' && value.length <= 128 && !/\p{Cc}|\p{Cs}/u.test(value);
}
