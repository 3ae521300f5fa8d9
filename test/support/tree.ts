import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const notOurs = new Set(['node_modules', 'dist', 'dist.new', 'coverage', '.git']);
const textKinds = new Set(['', '.ts', '.mjs', '.js', '.py', '.c', '.lua', '.sh', '.json', '.yml', '.yaml', '.md']);

export interface SourceFile {
  /** From the root of the checkout, with forward slashes. */
  path: string;
  text: string;
}

export interface Import {
  file: string;
  line: number;
  /** The path of a file of ours, the name of a package, or `node:…`. */
  target: string;
}

/** Every text file of the checkout, hidden ones too, without what is installed or built. */
export function readTree(): SourceFile[] {
  return pathsUnder('').map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function pathsUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (notOurs.has(entry.name)) return [];
    if (entry.isDirectory()) return pathsUnder(path);
    return entry.isFile() && textKinds.has(extname(entry.name)) ? [path] : [];
  });
}

/** Strings are matched too, so that what looks like a comment inside one is left alone. */
const stringOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** TypeScript without its comments, every line where it was. */
export function withoutComments(text: string): string {
  return text.replace(stringOrComment, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

export function importsOf({ path, text }: SourceFile): Import[] {
  const code = withoutComments(text);
  return [...code.matchAll(/(?<!['\w.-])(?:from|import)\s*\(?\s*'([^'\s]+)'/g)].map((found) => ({
    file: path,
    line: lineAt(code, found.index),
    target: targetOf(path, found[1] ?? ''),
  }));
}

function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
  if (specifier.startsWith('node:')) return specifier;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** One cycle of imports per entry, as the path around it; types count: who needs a type needs its file to be read. */
export function cyclesIn(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { file, target } of imports) targets.set(file, [...(targets.get(file) ?? []), target]);
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(file);
    if (seenAt >= 0) cycles.push([...trail.slice(seenAt), file].join(' -> '));
    if (seenAt >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return cycles;
}
