import { usage } from './failure.js';

/**
 * yargs takes a lone dash for an empty string, `-5` for a flag, and `true` behind a switch for its value. So tokens
 * that can only be values go past it with a mark that no real argument can contain, which is taken off on reading.
 */
const mark = '\0';
const plainValue = /^(-|-\d.*|true|false)$/s;

/** Marks what can only be a value; all that follows `--` is. */
export function markValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const flagged = end === -1 ? argv : argv.slice(0, end);
  const rest = end === -1 ? [] : argv.slice(end + 1);
  return [
    ...flagged.map((token) => (plainValue.test(token) ? mark + token : token)),
    ...rest.map((token) => mark + token),
  ];
}

export function unmark(text: string): string {
  return text.replaceAll(mark, '');
}

/** The parsed command line, read by name and type: a flag given twice or a bad number is a usage error. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  /** A flag's or an optional argument's text. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (Array.isArray(value)) throw usage(`give --${name} only once`);
    return typeof value === 'string' ? unmark(value) : undefined;
  }

  /** A required argument. */
  word(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw usage(`<${name}> is missing`);
    return text;
  }

  /** A repeated argument. */
  words(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map((item) => unmark(String(item))) : [];
  }

  /** A flag that may be given again and again. */
  texts(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? this.words(name) : [value].filter((item) => typeof item === 'string').map(unmark);
  }

  /** A list with commas; undefined when the flag is not given. */
  list(name: string): string[] | undefined {
    return this.text(name)
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  on(name: string): boolean {
    const value = this.#values[name];
    return Array.isArray(value) ? value.includes(true) : value === true;
  }

  whole(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (!/^-?\d+$/.test(text) || number < min || number > max) {
      throw usage(`--${name} must be a whole number from ${min} to ${max}, got ${JSON.stringify(text.slice(0, 40))}`);
    }
    return number;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = allowed.find((word) => word === text);
    if (found === undefined) {
      throw usage(`--${name} must be one of ${allowed.join(', ')}, got ${JSON.stringify(text.slice(0, 40))}`);
    }
    return found;
  }
}
