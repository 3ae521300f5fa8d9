import type { Arena } from '../arena.js';
import type { Board } from './board.js';
import { Shim } from './shim.js';

/** Why a fault of the shim can't be made on these processes; undefined when all of them have it. */
export function withoutShim({ shim }: Arena, names: readonly string[]): string | undefined {
  if (!(shim instanceof Shim)) return shim;
  const free = names.find((name) => shim.boardOf(name).pid === 0);
  return free === undefined
    ? undefined
    : `LD_PRELOAD does not take hold of ${free}: a static program, or a folder without exec`;
}

export function boardOf({ shim }: Arena, name: string): Board {
  if (!(shim instanceof Shim)) throw new Error(`no shim in ${name}: ${shim}`);
  return shim.boardOf(name);
}
