/**
 * Makes src/redis/scripts.generated.ts out of lua/*.lua, so that TypeScript knows each script's keys, arguments and
 * replies. The header of a script is its contract (bindings/header.mjs says how it is written); a header and a body
 * that disagree fail the build (bindings/body.mjs). Every problem of every script is reported, as file:line, and
 * nothing is written then. The same scripts always give the same bytes.
 *
 *   node scripts/generate-bindings.mjs [--check] [--lua <folder>] [--out <file>]
 *
 * --check writes nothing: exit 1 when the generated file is not what the scripts would give now.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bodyProblems } from './bindings/body.mjs';
import { embeddedSource, withoutComments } from './bindings/code.mjs';
import { parseHeader } from './bindings/header.mjs';
import { typescriptOf } from './bindings/typescript.mjs';

const linesMaxUsual = 90;
/** next is two transitions in one call on purpose: it is the one that every task goes through at full load. */
const linesMaxOf = { next: 150 };

/** One script's definition, or what is wrong with it. Body checks need a header that can be read. */
function readScript(file) {
  // A checkout on Windows may have turned the line ends; the bytes sent to Redis must not depend on it.
  const text = readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  const name = basename(file, '.lua');
  const { header, problems } = parseHeader(text, name);
  const linesMax = linesMaxOf[name] ?? linesMaxUsual;
  const lineCount = text.replace(/\n$/, '').split('\n').length;
  if (lineCount > linesMax) {
    problems.push({
      line: linesMax + 1,
      message: `${lineCount} lines: a script has at most ${linesMax}, header included`,
    });
  }
  if (problems.length === 0) problems.push(...bodyProblems(withoutComments(text), header));
  return { file, problems, definition: { ...header, source: embeddedSource(text) } };
}

/** As `file:line: message`, in the order of the lines. */
function problemLines({ file, problems }) {
  const inOrder = problems.toSorted((a, b) => a.line - b.line);
  return inOrder.map(({ line, message }) => `${relative(process.cwd(), file)}:${line}: ${message}`);
}

/** Does the work; returns what is wrong. */
function main({ lua, out, check }) {
  const files = readdirSync(lua).filter((file) => file.endsWith('.lua'));
  if (files.length === 0) return [`${lua}: no scripts here`];

  const scripts = files.toSorted().map((file) => readScript(join(lua, file)));
  const problems = scripts.flatMap(problemLines);
  if (problems.length > 0) return problems;

  const made = typescriptOf(scripts.map((script) => script.definition));
  const present = existsSync(out) ? readFileSync(out, 'utf8').replaceAll('\r\n', '\n') : '';
  if (made === present) return [];
  if (check) return [`${relative(process.cwd(), out)}:1: out of date: run \`node scripts/generate-bindings.mjs\``];
  writeFileSync(out, made);
  return [];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    lua: { type: 'string', default: join(root, 'lua') },
    out: { type: 'string', default: join(root, 'src/redis/scripts.generated.ts') },
  },
});
const problems = main(values);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
