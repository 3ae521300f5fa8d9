import { logarithmic } from './scales.mjs';
import { card, faint, ink, legend, line, mark, text } from './svg.mjs';
import { short } from './words.mjs';

const width = 860;
const rowHeight = 44;
const plot = { left: 250, right: width - 36, top: 84 };

/**
 * A row for each case, a mark for each series on a logarithmic axis: for figures that lie powers of ten apart. Each mark
 * has a line of its own in the row, so that none covers another.
 * rows: [{label, points: [{value, min, max} or undefined, as many as series]}]
 */
export function dotChart({ title, unit, series, rows }) {
  const bottom = plot.top + rows.length * rowHeight;
  const values = rows.flatMap(({ points }) => points.flatMap((point) => (point ? [point.min, point.max] : [])));
  const x = logarithmic(values, [plot.left, plot.right]);
  const height = bottom + 62;
  return card({ width, height, title }, [
    legend(
      series.map((one, at) => ({ ...one, shape: at })),
      { x: 24, y: 62 },
    ),
    rows.map((_, at) => {
      const y = plot.top + at * rowHeight;
      return line({ from: [24, y], to: [plot.right, y] });
    }),
    x.ticks.map((tick) => [
      line({ from: [x.at(tick), plot.top], to: [x.at(tick), bottom] }),
      text(short(tick), { x: x.at(tick), y: bottom + 20, anchor: 'middle', fill: faint }),
    ]),
    line({ from: [plot.left, bottom], to: [plot.right, bottom], stroke: ink }),
    text(`${unit}, logarithmic`, { x: plot.right, y: bottom + 44, anchor: 'end', fill: faint }),
    rows.map((row, at) => rowOf(row, { top: plot.top + at * rowHeight, x, series })),
  ]);
}

function rowOf({ label, points }, { top, x, series }) {
  const step = rowHeight / (series.length + 1);
  return [
    text(label, { x: plot.left - 14, y: top + rowHeight / 2 + 4, anchor: 'end' }),
    points.map((point, at) => {
      if (point === undefined) return [];
      const [y, fill] = [top + (at + 1) * step, series[at].colour];
      return [
        line({ from: [x.at(point.min), y], to: [x.at(point.max), y], stroke: fill, width: 1.5 }),
        mark(at, { x: x.at(point.value), y, fill, size: 4 }),
      ];
    }),
  ];
}
