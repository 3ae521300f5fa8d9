import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { InOrder, type Ordered } from '../../src/in-order.js';

class Entry implements Ordered<Entry> {
  position: Ordered<Entry>['position'];
  readonly name: string;
  readonly weight: number[];

  constructor(name: string, weight = 0) {
    this.name = name;
    this.weight = Array.from({ length: weight }, () => 0);
  }
}

const named = (text: string): Entry[] => text.split('').map((name) => new Entry(name));

const shown = (entries: InOrder<Entry>): string => [...entries].map(({ name }) => name).join('');

function filled(text: string): { entries: InOrder<Entry>; all: Entry[] } {
  const entries = new InOrder<Entry>();
  const all = named(text);
  for (const entry of all) entries.add(entry);
  return { entries, all };
}

test.each([
  ['a', 'bcd'],
  ['b', 'acd'],
  ['d', 'abc'],
  ['ad', 'bc'],
  ['da', 'bc'],
  ['bc', 'ad'],
  ['abcd', ''],
  ['dcba', ''],
  ['bdac', ''],
])('abcd without %s is %s', (gone, left) => {
  const { entries, all } = filled('abcd');
  for (const name of gone.split(''))
    expect(entries.delete(all.find((entry) => entry.name === name) as Entry)).toBe(true);
  expect([shown(entries), entries.size]).toEqual([left, left.length]);
  entries.add(new Entry('e'));
  expect(shown(entries)).toBe(`${left}e`);
});

test('what is there is not added again, and what is not there is not taken out', () => {
  const { entries, all } = filled('ab');
  const [a] = all as [Entry];
  entries.add(a);
  expect([shown(entries), entries.size, entries.has(a)]).toEqual(['ab', 2, true]);
  expect([entries.delete(a), entries.delete(a), entries.has(a), entries.size]).toEqual([true, false, false, 1]);
  entries.add(a);
  expect(shown(entries)).toBe('ba');
});

test('an entry stands in one list at a time', () => {
  const { entries, all } = filled('ab');
  const [a] = all as [Entry];
  const other = new InOrder<Entry>();
  expect(() => other.add(a)).toThrow('one list at a time');
  expect([other.has(a), other.delete(a), other.size, shown(entries)]).toEqual([false, false, 0, 'ab']);
});

test('the first that is wanted is found, or none', () => {
  const { entries } = filled('abc');
  expect(entries.find(({ name }) => name > 'a')?.name).toBe('b');
  expect(entries.find(({ name }) => name > 'c')).toBeUndefined();
  expect(new InOrder<Entry>().find(() => true)).toBeUndefined();
});

test('a walk passes over what goes before its turn, and what comes meanwhile', () => {
  const { entries, all } = filled('abcd');
  const [a, , c] = all as [Entry, Entry, Entry];
  const met: string[] = [];
  for (const { name } of entries) {
    met.push(name);
    if (name === 'b') {
      entries.delete(a);
      entries.delete(c);
      entries.add(new Entry('e'));
    }
  }
  expect([met.join(''), shown(entries)]).toEqual(['abd', 'bde']);
});

test('what has gone does not outlive the next small collection, though others that came with it have grown old', () => {
  setFlagsFromString('--expose-gc');
  const collect: (options: { type: 'minor' }) => void = runInNewContext('gc');
  const oldBytes = (): number => {
    collect({ type: 'minor' });
    return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0;
  };
  const entries = new InOrder<Entry>();
  let present: Entry[] = [];
  const pass = (): void => {
    for (const entry of present) entries.delete(entry);
    present = Array.from({ length: 50 }, () => new Entry('one', 100));
    for (const entry of present) entries.add(entry);
  };
  pass();
  for (let count = 0; count < 3; count += 1) collect({ type: 'minor' });
  const before = oldBytes();
  for (let count = 0; count < 400; count += 1) {
    pass();
    if (count % 10 === 0) collect({ type: 'minor' });
  }
  expect(oldBytes() - before).toBeLessThan(1_000_000); // of 16 MB that came and went; a Set would leave half of them
});
