import { expect, test } from 'vitest';
import { Kept } from '../../src/schedule/kept.js';

/** What is made, in order; one that is kept is not made again. */
function kept(limits: { max: number; charsMax?: number }): { ask: (names: string) => string[] } {
  const made: string[] = [];
  const all = new Kept(limits, (name) => made.push(name));
  return {
    ask(names) {
      made.length = 0;
      for (const name of names.split(' ')) all.of(name);
      return [...made];
    },
  };
}

test('what was made is not made again, until others have taken its place', () => {
  const { ask } = kept({ max: 2 });
  expect(ask('a a b a')).toEqual(['a', 'b']);
  expect(ask('c')).toEqual(['c']);
  expect(ask('a b')).toEqual(['b']); // it was not asked for longest
});

test('names of too many characters make room as well, and one that is larger than all is kept alone', () => {
  const { ask } = kept({ max: 9, charsMax: 6 });
  expect(ask('aaa bbb aaa')).toEqual(['aaa', 'bbb']);
  expect(ask('cccc aaa')).toEqual(['cccc', 'aaa']);
  expect(ask('dddddddd dddddddd')).toEqual(['dddddddd']);
  expect(ask('a dddddddd')).toEqual(['a', 'dddddddd']);
});

test('what nothing could be made of is kept as well, and takes no more room each time', () => {
  const made: string[] = [];
  const all = new Kept({ max: 9, charsMax: 9 }, (name) => (made.push(name), undefined));
  for (let times = 0; times < 5; times += 1) for (const name of ['aaaa', 'bbbb']) all.of(name);
  expect(made).toEqual(['aaaa', 'bbbb']);
});
