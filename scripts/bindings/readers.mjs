/** What src/redis/wording.ts has to read a field of each type. */
export const readers = {
  int: 'anInt',
  string: 'aString',
  'int?': 'anIntOrNull',
  'string?': 'aStringOrNull',
  'int[]': 'ints',
  'string[]': 'strings',
};

/** All of it that the generated file may import. */
export const helperNames = ['atMost', 'groups', 'strange', 'word', ...Object.values(readers)].toSorted();
