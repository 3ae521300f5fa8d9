import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyType, generate, scriptsIn } from '../support/bindings.js';

const folder = mkdtempSync(join(tmpdir(), 'duestream-bindings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a script whose header and body disagree is refused', () => {
  const good = `#!lua flags=allow-oom
-- NAME: keep what fits.
--
-- KEYS  1 meta    hash    layout
--       2 box     hash    id -> size
-- ARGV  1 layout  string
--       2 limit   int     0 = KEYS[9] {'free', text}
-- ITEMS id string, size int
-- REPLY ok {kept int, ids string[],
--           rest [id string, size int], hint string?}
--       full {kept int}
--       other_layout
--
-- A body may mention KEYS[7] and {'anything'} in its comments.
local meta, box = KEYS[1], KEYS[2]
local layout, limit = ARGV[1], tonumber(ARGV[2])
if redis.call('HGET', meta, '{"c"ARGV[8]') == layout then return {'other_layout'} end
local kept, ids, rest = 0, {}, {}
for i = 3, #ARGV, 2 do
  if kept >= limit then return {'full', kept} end
  redis.call('HSET', box, ARGV[i], ARGV[i + 1])
  kept = kept + 1 -- {'word' and ARGV[9] in a comment
end
local reply = {'ok', kept, ids, rest, false}
return reply
`;
  const rows: { mistake: string; change: readonly (readonly [from: string, to: string])[]; problem: string }[] = [
    {
      mistake: 'a key the body does not use',
      change: [['local meta, box = KEYS[1], KEYS[2]', "local meta, box = KEYS[1], 'box'"]],
      problem: '5: KEYS 2 box is in the header, the body never uses it',
    },
    {
      mistake: 'a key the header does not have',
      change: [['ARGV[i], ARGV', 'KEYS[3], ARGV']],
      problem: '21: KEYS[3] is not in the header, which ends at KEYS 2',
    },
    {
      mistake: 'a key that is not written down',
      change: [['ARGV[i], ARGV', 'KEYS[i], ARGV']],
      problem: '21: KEYS used without a literal index: every key is written KEYS[number]',
    },
    {
      mistake: 'an argument the body does not use',
      change: [['tonumber(ARGV[2])', '100']],
      problem: '7: ARGV 2 limit is in the header, the body never uses it',
    },
    {
      mistake: 'an argument the header does not have',
      change: [
        ['-- ITEMS id string, size int\n', ''],
        ['for i = 3, #ARGV, 2 do', 'for i = 3, 4 do'],
        ['ARGV[i], ARGV[i + 1]', '1, ARGV[3]'],
      ],
      problem: '20: ARGV[3] is not in the header, which ends at ARGV 2',
    },
    {
      mistake: 'a counted argument without ITEMS',
      change: [
        ['-- ITEMS id string, size int\n', ''],
        ['for i = 3, #ARGV, 2 do', 'for i = 3, 4 do'],
        ['ARGV[i], ARGV[i + 1]', '1, ARGV[i]'],
      ],
      problem: '20: ARGV used without a literal index: only a script with ITEMS may do that',
    },
    {
      mistake: 'items the body does not read',
      change: [
        ['for i = 3, #ARGV, 2 do', 'for i = 3, 4 do'],
        ['ARGV[i], ARGV[i + 1]', '1, 2'],
      ],
      problem: '8: ITEMS is in the header, the body never reads them',
    },
    {
      mistake: 'a loop that starts beside the items',
      change: [['for i = 3,', 'for i = 2,']],
      problem: '19: the items start at ARGV[3] and are 2 wide; this loop goes 2, 2',
    },
    {
      mistake: 'a loop that steps over parts of items',
      change: [['#ARGV, 2', '#ARGV, 3']],
      problem: '19: the items start at ARGV[3] and are 2 wide; this loop goes 3, 3',
    },
    {
      mistake: 'a status the header does not have',
      change: [["return {'full', kept}", "return kept > 9 and {'huge'} or {'full', kept}"]],
      problem: "20: {'huge' is no status of the header (a table that is no reply must not begin so)",
    },
    {
      mistake: 'a status the body does not have',
      change: [["return {'full', kept}", 'break']],
      problem: '11: status "full" is in the header, the body has no {\'full\', …}',
    },
    {
      mistake: 'a reply with too few fields',
      change: [["{'full', kept}", "{'full'}"]],
      problem: "20: {'full'} is returned with 0 fields, the header has 1",
    },
    {
      mistake: 'a reply with too many fields',
      change: [["{'full', kept}", "{'full', kept, math.max(1, 2)}"]],
      problem: "20: {'full'} is returned with 2 fields, the header has 1",
    },
    {
      mistake: 'a header of another script',
      change: [['-- NAME:', '-- other:']],
      problem: '2: the header names "other", the file is "NAME.lua"',
    },
    {
      mistake: 'no name at all',
      change: [['-- NAME: keep', '-- keep']],
      problem: '2: the first comment line must be "-- NAME: what it does"',
    },
    {
      mistake: 'a key under another name',
      change: [
        ['local meta, box', 'local meta, chest'],
        ["'HSET', box", "'HSET', chest"],
      ],
      problem: '15: KEYS[2] is "box" in the header, the body calls it "chest"',
    },
    {
      mistake: 'arguments whose names are swapped',
      change: [
        ['local layout, limit = ARGV[1], tonumber(ARGV[2])', 'local layout, top =\n ARGV[1],\n tonumber(ARGV[2])'],
      ],
      problem: '16: ARGV[2] is "limit" in the header, the body calls it "top"',
    },
    {
      mistake: 'wrong numbers of keys',
      change: [['2 box', '3 box']],
      problem: '5: KEYS 3 is numbered wrongly: expected 2',
    },
    {
      mistake: 'wrong numbers of arguments',
      change: [['ARGV  1 layout', 'ARGV  0 layout']],
      problem: '6: ARGV 0 is numbered wrongly: expected 1',
    },
    {
      mistake: 'an unknown type of key',
      change: [['meta    hash', 'meta    map ']],
      problem: '4: KEYS meta: the type must be string, hash, zset, set, list, stream, channel, got map',
    },
    {
      mistake: 'an unknown type of argument',
      change: [['limit   int ', 'limit   bool']],
      problem: '7: ARGV limit: the type must be int, string, got bool',
    },
    {
      mistake: 'an unknown type of item',
      change: [['size int\n', 'size int?\n']],
      problem: '8: size: the type must be int, string, got "int?"',
    },
    {
      mistake: 'an unknown type of field',
      change: [['ids string[]', 'ids list']],
      problem: '9: ids: the type must be int, string, int?, string?, int[], string[], got "list"',
    },
    {
      mistake: 'a list inside a group',
      change: [['rest [id string,', 'rest [id string[],']],
      problem: '9: id: the type must be int, string, int?, string?, got "string[]"',
    },
    {
      mistake: 'a field without a type',
      change: [['full {kept int}', 'full {kept}']],
      problem: '11: expected "name type", got "kept"',
    },
    {
      mistake: 'a field that hides the status',
      change: [['full {kept int}', 'full {status int}']],
      problem: "11: a field can't be named status: that is the first word of the reply",
    },
    {
      mistake: 'braces that were forgotten',
      change: [['full {kept int}', 'full kept int']],
      problem: '11: expected "status {field type, …}" and an empty comment line at the end, got "full kept int"',
    },
    {
      mistake: 'a name that stands twice',
      change: [['2 box', '2 meta']],
      problem: '5: "meta" stands twice',
    },
    {
      mistake: 'a name that is not in snake_case',
      change: [['2 box', '2 theBox']],
      problem: '5: "theBox" is no name: expected snake_case',
    },
    {
      mistake: 'a shebang that is none',
      change: [['#!lua flags=allow-oom', '#!/usr/bin/lua']],
      problem: '1: expected "#!lua flags=…", got "#!/usr/bin/lua"',
    },
    {
      mistake: 'a long bracket',
      change: [['local kept, ids', 'local text = [[a]]\nlocal kept, ids']],
      problem: '18: long brackets [[ ]] are not understood here: use quotes',
    },
    {
      mistake: 'more than 90 lines, blank ones counted',
      change: [['-- A body', `--\n${'\n'.repeat(66)}-- A body`]],
      problem: '91: 92 lines: a script has at most 90, header included',
    },
    {
      mistake: 'no reply',
      change: [['-- REPLY ok', '--\n-- ANSWER ok']],
      problem: '1: the header has no REPLY',
    },
  ];
  const out = join(folder, 'refused.ts');
  const nameOf = (index: number): string => `mistake-${index}`;
  let outcome: ReturnType<typeof generate>;

  beforeAll(() => {
    const scripts: Record<string, string> = { fine: good.replace('NAME', 'fine') };
    for (const [index, { mistake, change }] of rows.entries()) {
      let text = good;
      for (const [from, to] of change) {
        if (!text.includes(from)) throw new Error(`${mistake}: the script has no "${from}"`);
        text = text.replace(from, to);
      }
      scripts[nameOf(index)] = text.replaceAll('NAME', nameOf(index));
    }
    outcome = generate({ folder, lua: scriptsIn(join(folder, 'refused'), scripts), out });
  });

  test.each(rows.map((row, index) => ({ ...row, index })))('$mistake', ({ index, problem }) => {
    const file = `refused/${nameOf(index)}.lua:`;
    const found = outcome.problems.filter((line) => line.startsWith(file));
    expect(found).toEqual([`${file}${problem.replaceAll('NAME', nameOf(index))}`]);
  });

  test('a good script beside them is not', () => {
    expect(outcome.problems.filter((line) => line.startsWith('refused/fine.lua'))).toEqual([]);
  });

  test.each(['delete', 'scripts', 'word', 'an-int', 'two_words', 'Upper'])('a script can not be called %s', (name) => {
    const lua = scriptsIn(join(folder, `named-${name}`), {
      [name]: `-- ${name}: nothing.\n--\n-- REPLY ok\nreturn {'ok'}\n`,
    });
    expect(generate({ folder, lua, out }).problems).toEqual([
      `named-${name}/${name}.lua:1: "${name}" can't name a script: it must be kebab-case and free in TypeScript`,
    ]);
  });

  test('a folder without scripts is refused: a wrong path must not empty the generated file', () => {
    const lua = scriptsIn(join(folder, 'empty'), {});
    expect(generate({ folder, lua, out })).toEqual({ code: 1, problems: [`${lua}: no scripts here`] });
  });

  test('nothing is written then', () => {
    expect(outcome.code).toBe(1);
    expect(existsSync(out)).toBe(false);
  });
});

describe('the generated file', () => {
  const out = join(folder, 'made.ts');
  const lua = scriptsIn(join(folder, 'good'), {
    'every-type': everyType,
    bare: `-- bare: nothing at all.\n--\n-- REPLY ok\nreturn {'ok'}\n`,
  });

  test('names the keys, the arguments and the replies of each script', () => {
    expect(generate({ folder, lua, out })).toEqual({ code: 0, problems: [] });
    const made = readFileSync(out, 'utf8');
    expect(made).toContain(`
export interface EveryTypeKeys {
  /** hash: the one hash, commented twice */
  meta: string;
  /** zset */
  dueBox: string;
}

export interface EveryTypeArgs {
  /** of the replies */
  which: string;
  nowMs: number;
  items: readonly { id: string; sizeMax: number }[];
}

export type EveryTypeReply =
  | {
      status: 'ok';
      nowMs: number;
      word: string;
      none: string | null;
      noInt: number | null;
      ids: string[];
      sizes: number[];
      groups: { id: string; sizeMax: number; hint: string | null }[];
    }
  | { status: 'empty'; ids: string[]; sizes: number[]; groups: { id: string; size: number }[] }
  | { status: 'texts'; nowMs: number; word: string; late: number | null }
  | { status: 'plain' };

/** answer with every type there is. */
export const everyType: Script<EveryTypeKeys, EveryTypeArgs, EveryTypeReply> = {
  name: 'every-type',
`);
    expect(made).toContain("export type BareReply = { status: 'ok' };\n");
    expect(made).toContain('export const scripts: readonly ScriptDefinition[] = [bare, everyType];\n');
  });

  test('holds the shebang first and the code, without comments and blank lines', () => {
    const [, source] = /source: `(#!lua[^]*?)\n`,/.exec(readFileSync(out, 'utf8')) ?? [];
    expect(source?.split('\n').slice(0, 2)).toEqual([
      '#!lua flags=allow-oom',
      'local meta, due_box = KEYS[1], KEYS[2]',
    ]);
    expect(source).not.toMatch(/--|\n\s*\n/);
  });

  test('is the same however often it is made, and whatever the line ends', () => {
    const again = join(folder, 'again.ts');
    writeFileSync(join(lua, 'every-type.lua'), everyType.replaceAll('\n', '\r\n'));
    expect(generate({ folder, lua, out: again }).code).toBe(0);
    writeFileSync(join(lua, 'every-type.lua'), everyType);
    expect(readFileSync(again, 'utf8')).toBe(readFileSync(out, 'utf8'));
  });

  test('is out of date when a script has changed, and --check says so and writes nothing', () => {
    const changed = scriptsIn(join(folder, 'changed'), {
      bare: `-- bare: nothing at all.\n--\n-- REPLY done\nreturn {'done'}\n`,
    });
    const before = readFileSync(out, 'utf8');
    expect(generate({ folder, lua, out, check: true })).toEqual({ code: 0, problems: [] });
    expect(generate({ folder, lua: changed, out, check: true })).toEqual({
      code: 1,
      problems: ['made.ts:1: out of date: run `node scripts/generate-bindings.mjs`'],
    });
    expect(readFileSync(out, 'utf8')).toBe(before);
    expect(generate({ folder, lua, out: join(folder, 'missing.ts'), check: true }).code).toBe(1);
  });
});
