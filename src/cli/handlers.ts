import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handlers, TaskMap } from '../index.js';
import { exitCodes, Failure, lineOf, usage } from './failure.js';

/**
 * The handlers of a worker: a module whose default export maps a task's name to its function, or to an object with
 * `handler` and options. Whatever is wrong with it is known before anything connects.
 */
export async function loadHandlers(path: string): Promise<Handlers<TaskMap>> {
  const file = resolve(path);
  if (!existsSync(file)) throw usage(`no handlers module at ${file}: check the path after --handlers`);
  if (statSync(file).isDirectory())
    throw usage(`${file} is a directory: name the module itself, such as ${path}/index.js`);
  if (/^\.[cm]?tsx?$/.test(extname(file))) await understandTypeScript(file);
  const loaded = await imported(file);
  return checked(defaultExportOf(loaded), file);
}

async function imported(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    const kind = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
    throw usage(`the handlers module ${file} fails to load: ${kind}${lineOf(error)}${moduleHint(error)}`);
  }
}

/** Where package.json says `"type": "commonjs"`, Node does not look whether a .js is a module. */
function moduleHint(error: unknown): string {
  const isTakenForCommonJs =
    error instanceof SyntaxError && /Unexpected token 'export'|outside a module/.test(error.message);
  return isTakenForCommonJs ? '; name it .mjs, or set "type": "module" in package.json' : '';
}

/** A module that was compiled to CommonJS has its default export one level deeper. */
function defaultExportOf(loaded: Record<string, unknown>): unknown {
  const outer = loaded['default'];
  const isCompiled = typeof outer === 'object' && outer !== null && '__esModule' in outer && 'default' in outer;
  return isCompiled ? outer.default : outer;
}

function checked(handlers: unknown, file: string): Handlers<TaskMap> {
  const example = 'export default { welcome: async (task) => {} }';
  if (handlers === undefined) throw usage(`${file} has no default export: write ${example}`);
  if (typeof handlers !== 'object' || handlers === null || Object.keys(handlers).length === 0) {
    throw usage(`the default export of ${file} must map task names to functions: write ${example}`);
  }
  for (const [name, handler] of Object.entries(handlers) as [string, unknown][]) {
    const run: unknown =
      typeof handler === 'object' && handler !== null && 'handler' in handler ? handler.handler : handler;
    if (typeof run !== 'function') {
      throw usage(`in ${file} the handler of "${name}" must be a function, or an object with a function "handler"`);
    }
  }
  return handlers;
}

/** Newer Nodes strip types by themselves; else the tsx that stands beside the handlers is asked to. */
async function understandTypeScript(file: string): Promise<void> {
  if ('typescript' in process.features && process.features.typescript) return;
  try {
    const { register } = (await import(tsxBeside(file))) as { register: () => void };
    register();
  } catch (error) {
    const advice = 'use Node 22.18 or newer, compile it, or npm install tsx beside it';
    throw new Failure(exitCodes.usage, `this Node can't load ${file}: ${advice}`, { cause: error });
  }
}

/** What a require finds is the CommonJS half of tsx, which does not find its own loader when it is imported. */
function tsxBeside(file: string): string {
  const found = createRequire(file).resolve('tsx/esm/api');
  return pathToFileURL(found.replace(/\.cjs$/, '.mjs')).href;
}
