import type { Verdict } from './checker/check.js';

/** The verdict for people: what held, what did not and how, and what the campaign went through. */
export function reportOf(verdict: Verdict): string {
  const results = verdict.results.flatMap(({ name, held, count, broken }) => [
    `${held ? 'held  ' : 'BROKEN'}  ${name}${held ? '' : ` (${count})`}`,
    ...broken.map((line) => `          ${line}`),
  ]);
  const met = verdict.sometimes
    .filter(({ held, seen }) => !held || seen > 0)
    .map(({ name, seen, held }) => `${held ? 'met   ' : 'NEVER '}  ${name}: ${seen}`);
  const figures = Object.entries(verdict.figures).map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`);
  const last = verdict.held ? 'every promise held' : 'NOT every promise held';
  return [...results, ...met, wrapped(figures), last].join('\n');
}

function wrapped(parts: readonly string[]): string {
  const lines = [''];
  for (const part of parts) {
    const line = `${lines.at(-1)}${lines.at(-1) === '' ? '' : ' · '}${part}`;
    if (line.length > 110) lines.push(part);
    else lines[lines.length - 1] = line;
  }
  return lines.join('\n');
}
