import { median } from './statistics.mjs';
import { peer } from './systems/systems.mjs';

/** The medians as plain text, a line for each case, and each system's ratio to the peer. */
export function tableOf({ made, figures }) {
  const systems = [...new Set(figures.map(({ system }) => system))];
  const ratio = systems.includes(peer) ? ` (and their ratio to ${peer})` : '';
  const lines = [`persistence ${made.persistence}, medians of ${made.repetitions}${ratio}`];
  for (const measure of new Set(figures.map(({ measure }) => measure))) {
    const rows = rowsOf(figures.filter((figure) => figure.measure === measure));
    lines.push('', ...aligned([[measure, '', ...systems], ...rows.map((row) => cellsOf(row, systems))]));
  }
  return lines.join('\n');
}

/** Figures of the same case, by system. */
function rowsOf(figures) {
  const rows = new Map();
  for (const figure of figures) {
    const name = figure.x === undefined ? figure.case : `${figure.case}, ${figure.x}`;
    const row = rows.get(name) ?? { name, unit: figure.unit, medians: {} };
    row.medians[figure.system] = median(figure.values);
    rows.set(name, row);
  }
  return [...rows.values()];
}

function cellsOf({ name, unit, medians }, systems) {
  const cells = systems.map((system) => {
    const value = medians[system];
    if (value === undefined) return '-';
    const base = medians[peer];
    return system === peer || !base ? shownValue(value) : `${shownValue(value)} (${(value / base).toFixed(2)} x)`;
  });
  return [`  ${name}`, unit, ...cells];
}

/** Three digits are enough; more than three stand before the point. */
export function shownValue(value) {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** The first two columns to the left, numbers to the right. */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}
