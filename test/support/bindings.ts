import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const generator = fileURLToPath(new URL('../../scripts/generate-bindings.mjs', import.meta.url));

/** Runs the generator of the bindings in `folder`; its problems name their files from there. */
export function generate(options: { folder: string; lua: string; out: string; check?: boolean }): {
  code: number | null;
  problems: string[];
} {
  const args = [generator, '--lua', options.lua, '--out', options.out, ...(options.check ? ['--check'] : [])];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: options.folder });
  return { code: status, problems: stderr.split('\n').filter((line) => line !== '') };
}

/** A new folder of scripts, by name. */
export function scriptsIn(path: string, scripts: Record<string, string>): string {
  mkdirSync(path);
  for (const [script, text] of Object.entries(scripts)) writeFileSync(join(path, `${script}.lua`), text);
  return path;
}

/** The generated file of these scripts, imported. */
export async function bindingsOf<B>(folder: string, scripts: Record<string, string>): Promise<B> {
  const path = mkdtempSync(join(folder, 'bindings-'));
  const out = join(path, 'made.ts');
  const { problems } = generate({ folder, lua: scriptsIn(join(path, 'lua'), scripts), out });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const wording = fileURLToPath(new URL('../../src/redis/wording.js', import.meta.url));
  writeFileSync(join(path, 'wording.ts'), `export * from ${JSON.stringify(wording)};\n`);
  return (await import(pathToFileURL(out).href)) as B;
}

/** A script that answers with every type there is. */
export const everyType = `#!lua flags=allow-oom
-- every-type: answer with every type there is.
--
-- KEYS  1 meta    hash    the one hash,
--                         commented twice
--       2 due_box zset
-- ARGV  1 which   string  of the replies
--       2 now_ms  int
-- ITEMS id string, size_max int
-- REPLY ok {now_ms int, word string, none string?, no_int int?, ids string[], sizes int[],
--           groups [id string, size_max int, hint string?]}
--       empty {ids string[], sizes int[], groups [id string, size int]}
--       texts {now_ms int, word string, late int?}
--       plain
--
-- The comments of this script hold \`ticks\`, \\ and \${braces}: only what is code is embedded.
local meta, due_box = KEYS[1], KEYS[2]
local which, now_ms = ARGV[1], tonumber(ARGV[2])
redis.call('HSET', meta, 'odd', '\`tick\` \${brace} back\\\\slash')

  -- An indented comment.
if which == 'plain' then return {'plain'} end
if which == 'empty' then return {'empty', {}, {}, {}} end
if which == 'texts' then return {'texts', '-1700000000000', 42, nil} end
if which == 'broken' then return redis.call('LPUSH', meta, due_box) end
local ids, sizes, groups = {}, {}, {}
for i = 3, #ARGV, 2 do
  ids[#ids + 1], sizes[#sizes + 1] = ARGV[i], tonumber(ARGV[i + 1])
  groups[#groups + 1] = ARGV[i] groups[#groups + 1] = ARGV[i + 1] groups[#groups + 1] = i > 3 and ARGV[i] or false
end
return {'ok', now_ms, redis.call('HGET', meta, 'odd'), false, false, ids, sizes, groups}
`;
