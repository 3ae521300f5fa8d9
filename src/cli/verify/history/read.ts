import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../../failure.js';
import type { Fact, HistoryRecord } from './records.js';

const ending = '.jsonl';

/**
 * The history in a folder, `<process>.jsonl` each, in the order of its instants; what one process noted at the same
 * instant stays in its order. The last line of a process that was killed may be torn: it was not noted, then.
 */
export async function readHistory(folder: string): Promise<HistoryRecord[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
  );
  return inOrder(files.map(({ name, text }) => recordsOf(name, text)));
}

/** Merges what each process noted. */
export function inOrder(files: readonly (readonly HistoryRecord[])[]): HistoryRecord[] {
  return files.flat().sort((a, b) => a.at - b.at);
}

/** Exported for its tests: a file's records, and who wrote them. */
export function recordsOf(fileName: string, text: string): HistoryRecord[] {
  const by = fileName.slice(0, -ending.length);
  const lines = text.split('\n');
  const records: HistoryRecord[] = [];
  lines.forEach((line, at) => {
    if (line === '') return;
    const record = parsed(line);
    if (record !== undefined) records.push({ ...record, by });
    else if (at < lines.length - 1) {
      throw new Failure(exitCodes.failed, `${fileName}:${at + 1} is no record of a history, and not torn by a kill`);
    }
  });
  return records;
}

function parsed(line: string): ({ at: number } & Fact) | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is { at: number } & Fact {
  if (typeof value !== 'object' || value === null) return false;
  return 'at' in value && typeof value.at === 'number' && 'what' in value && typeof value.what === 'string';
}
