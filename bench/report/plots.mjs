import { barChart } from './bars.mjs';
import { dotChart } from './dots.mjs';
import { lineCharts } from './lines.mjs';
import { systems } from './words.mjs';

/** Every plot by its name, as SVG, of one run. One whose figures are not there is left out. */
export function plotsOf(results) {
  const plots = {
    add: bars(results, 'add', 'Adding tasks'),
    drain: bars(results, 'drain', 'Draining a backlog of tasks that do nothing'),
    lateness: lateness(results),
    growth: growth(results),
  };
  return Object.fromEntries(Object.entries(plots).filter(([, svg]) => svg !== undefined));
}

/** The systems that were measured here. */
function seriesOf(results, measures) {
  const measured = new Set(
    results.figures.filter(({ measure }) => measures.includes(measure)).map((one) => one.system),
  );
  return systems.filter(({ id }) => measured.has(id));
}

function bars(results, measure, title) {
  const rows = results.rowsOf(measure);
  if (rows.length === 0) return undefined;
  const series = seriesOf(results, [measure]);
  const groups = rows.map((row) => ({
    label: row.split(/(?<=,) /),
    bars: series.map(({ id }) => results.figure(measure, row, id)),
  }));
  return barChart({ title, unit: 'tasks/s, more is better', series, groups });
}

function lateness(results) {
  const rows = ['latency', 'lateness'].flatMap((measure) => results.rowsOf(measure).map((row) => ({ measure, row })));
  if (rows.length === 0) return undefined;
  const series = seriesOf(results, ['latency', 'lateness']);
  return dotChart({
    title: 'From when a task is due to the start of its handler',
    unit: 'ms, less is better',
    series,
    rows: rows.map(({ measure, row }) => ({
      label: row,
      points: series.map(({ id }) => results.figure(measure, row, id)),
    })),
  });
}

const [rose, blue, amber] = ['#c8385a', '#3b8ea5', '#e0a030'];
const scriptLimit = { value: 5, words: 'no script above 5 ms' };

/** For each axis two panels side by side: the rates, and the longest script. A line: name, colour, row of the results. */
const along = [
  {
    words: 'with so many tasks there',
    xUnit: 'tasks, ready or scheduled',
    rates: [
      ['drain', rose, 'drain, ready'],
      ['promotion', blue, 'promotion, scheduled'],
    ],
    scripts: [
      ['drain', rose, 'longest script, ready'],
      ['promotion', blue, 'longest script, scheduled'],
      ['add', amber, 'longest script, add'],
    ],
  },
  {
    words: 'with payloads of so many bytes',
    xUnit: 'bytes',
    rates: [
      ['drain', rose, 'drain, payload'],
      ['bulk add', amber, 'bulk add, payload'],
    ],
    scripts: [
      ['drain', rose, 'longest script, payload'],
      ['bulk add', amber, 'longest script, bulk add'],
    ],
  },
  {
    words: 'with so many worker processes',
    xUnit: 'worker processes',
    rates: [['drain', rose, 'drain, workers']],
    scripts: [['drain', rose, 'longest script, workers']],
  },
];

function growth(results) {
  const seriesOf = (lines) =>
    lines
      .map(([name, colour, row]) => ({ name, colour, points: results.pointsOf(row) }))
      .filter(({ points }) => points.length > 0);
  const panels = along.flatMap(({ words, xUnit, rates, scripts }) => [
    { title: `Rate, ${words}`, xUnit, yUnit: 'tasks/s', series: seriesOf(rates) },
    { title: `Longest script, ${words}`, xUnit, yUnit: 'ms', limit: scriptLimit, series: seriesOf(scripts) },
  ]);
  const filled = panels.filter(({ series }) => series.length > 0);
  return filled.length === 0 ? undefined : lineCharts({ title: 'Duestream as it grows', panels: filled });
}
