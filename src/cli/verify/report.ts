import type { Verdict } from './checker/check.js';

export interface Campaign {
  readonly seed: number;
  readonly verdict: Verdict;
}

/** Of several campaigns a table in Markdown: what was broken, what that led to, and what did not hold. */
export function tableOf(campaigns: readonly Campaign[]): string {
  const rows = campaigns.map(({ seed, verdict }) => [String(seed), ...cellsOf(verdict)]);
  return [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const titles = [
  'seed',
  'faults',
  'tasks',
  'starts',
  'recovered',
  'second starts, all explained',
  'adds lost by Redis itself',
  'stale writes refused',
  'terms',
  'lateness p50 / p99',
  'broken',
];

function cellsOf({ figures, results, sometimes }: Verdict): string[] {
  const figure = (name: string): string => String(Math.round(figures[name] ?? 0));
  const names = ['faults', 'accepted', 'starts', 'recovered', 'extraStarts', 'lostWrites', 'refusedWrites', 'terms'];
  const lateness = `${figure('latenessP50Ms')} / ${figure('latenessP99Ms')} ms`;
  const broken = [...results, ...sometimes].filter(({ held }) => !held).map(({ name }) => name);
  return [...names.map(figure), lateness, broken.join(', ') || 'nothing'];
}

/** The verdict for people: what held, what did not and how, and what the campaign went through. */
export function reportOf(verdict: Verdict): string {
  const results = verdict.results.flatMap(({ name, held, count, broken }) => [
    `${held ? wordOf(name, verdict) : 'BROKEN'}  ${name}${held ? '' : ` (${count})`}`,
    ...broken.map((line) => `          ${line}`),
  ]);
  const met = verdict.sometimes
    .filter(({ held, seen }) => !held || seen > 0)
    .map(({ name, seen, held }) => `${held ? 'met   ' : 'NEVER '}  ${name}: ${seen}`);
  const figures = Object.entries(verdict.figures).map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`);
  const last = verdict.held ? 'every promise held' : 'NOT every promise held';
  return [settingOf(verdict), ...results, ...met, wrapped(figures), last].join('\n');
}

/** In the quick form no time is judged. */
function wordOf(name: string, { plan }: Verdict): string {
  return plan.form === 'quick' && name === 'LATENESS' ? 'told  ' : 'held  ';
}

function settingOf({ plan }: Verdict): string {
  const { seed, seconds, form, ownRedis, appendonly, lockNodes = 0, replicated = false, minReplicas = 0 } = plan;
  const { partitions = 1, cluster = false, durability = 'memory' } = plan;
  const redis = ownRedis ? `a Redis of its own, appendfsync ${appendonly}` : "somebody's Redis";
  const votes = lockNodes === 0 ? 'which votes itself' : `${lockNodes} lock nodes`;
  const replicas = replicated ? `, replicated, min-replicas-to-write ${minReplicas}` : '';
  const nodes = cluster ? `, a cluster, durability ${durability}` : '';
  const parts = partitions === 1 ? '' : `, ${partitions} partitions`;
  return `seed ${seed}, ${seconds} s of faults, ${form} form, ${redis}${replicas}${nodes}, ${votes}${parts}`;
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
