/** The mistakes that `npm run verify:mutants` makes: each has a place where it can be made. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const { mutants } = (await import(new URL('../../scripts/mutants/mutants.mjs', import.meta.url).href)) as {
  mutants: readonly { name: string; edits: readonly { file: string; from: string; to: string }[] }[];
};

const textOf = (file: string): string => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

test.each(mutants)('$name', ({ edits }) => {
  for (const { file, from, to } of edits) {
    expect(textOf(file).split(from).length - 1, `${file}: ${from}`).toBe(1);
    expect(to).not.toBe(from);
  }
});
