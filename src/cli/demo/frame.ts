import { type Lateness, msText } from './lateness.js';

/** What is to be seen at one moment. */
export interface Scene {
  readonly place: string;
  readonly elapsedMs: number;
  readonly endMs: number;
  readonly tasks: number;
  readonly counts: { scheduled: number; ready: number; active: number; completed: number };
  /** Who leads, in words. */
  readonly leads: string;
  readonly lateness: Lateness;
  readonly processes: readonly { name: string; pid: number; note: string; isGone: boolean }[];
  readonly events: readonly { atMs: number; text: string }[];
}

export const columns = 80;
const barWidth = 40;
const eventsShown = 6;

export type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';
export type Paint = (colour: Colour, text: string) => string;

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export const plain: Paint = (_colour, text) => text;
export const coloured: Paint = (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`;

/** The screen at one moment, line by line, none wider than 80 columns. */
export function frameOf(scene: Scene, paint: Paint): string[] {
  const { counts, tasks, lateness, elapsedMs, endMs } = scene;
  const bar = (name: string, count: number, colour: Colour): string =>
    `  ${name.padEnd(11)}${number(count).padStart(7)}  ${paint(colour, barOf(count / tasks))}`;
  return [
    paint('bold', cut(`Duestream demo on ${scene.place}. Ctrl-C ends it.`)),
    '',
    `  ${'time'.padEnd(11)}${seconds(elapsedMs).padStart(7)}  ${paint('dim', barOf(elapsedMs / endMs))}`,
    bar('scheduled', counts.scheduled, 'cyan'),
    bar('ready', counts.ready, 'yellow'),
    bar('active', counts.active, 'yellow'),
    bar('completed', counts.completed, 'green'),
    '',
    cut(`  leads      ${scene.leads}`),
    cut(`  lateness   p50 ${msText(lateness.p50Ms)}   p99 ${msText(lateness.p99Ms)}   worst ${msText(lateness.maxMs)}`),
    '',
    ...scene.processes.map((process) => processLine(process, paint)),
    '',
    ...scene.events.slice(-eventsShown).map(({ atMs, text }) => cut(`  ${seconds(atMs).padStart(6)}  ${text}`)),
  ];
}

/** The same for where nobody can redraw. */
export function lineOf({ elapsedMs, counts, leads, lateness }: Scene): string {
  const { scheduled, ready, active, completed } = counts;
  const late = `p50 ${msText(lateness.p50Ms)} p99 ${msText(lateness.p99Ms)}`;
  const figures = `scheduled ${scheduled}  ready ${ready}  active ${active}  completed ${completed}`;
  return `${seconds(elapsedMs).padStart(7)}  ${figures}  leads ${leads}  lateness ${late}`;
}

function processLine({ name, pid, note, isGone }: Scene['processes'][number], paint: Paint): string {
  const line = cut(`  ${name.padEnd(10)} pid ${String(pid).padEnd(8)} ${note}`);
  return isGone ? paint('red', line) : line;
}

function barOf(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  return '█'.repeat(share > 0 ? Math.max(1, full) : 0);
}

function cut(text: string): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
