import { ToldError } from '../command-line.mjs';

/**
 * What the report writes into a page stands between `<!-- made by bench/report.mjs: NAME -->` and `<!-- end -->`. All else
 * is written by hand, and kept.
 */
const block = /<!-- made by bench\/report\.mjs: ([\w-]+) -->\n([\s\S]*?)<!-- end -->/g;

/** The page with each block made anew. A block that nobody makes, or that the page has no place for, is an error. */
export function fill(page, blocks) {
  const filled = new Set();
  const text = page.replace(block, (_, name) => {
    if (!Object.hasOwn(blocks, name)) throw new ToldError(`the page asks for a block "${name}", which nobody makes`);
    filled.add(name);
    return `<!-- made by bench/report.mjs: ${name} -->\n\n${blocks[name]}\n\n<!-- end -->`;
  });
  const missing = Object.keys(blocks).filter((name) => !filled.has(name));
  if (missing.length > 0) throw new ToldError(`the page has no place for: ${missing.join(', ')}`);
  return text;
}

/** The names of the blocks in which two versions of a page differ. */
export function differences(one, other) {
  const read = (page) => new Map(Array.from(page.matchAll(block), ([, name, text]) => [name, text]));
  const [before, after] = [read(one), read(other)];
  return [...before.keys()].filter((name) => before.get(name) !== after.get(name));
}
