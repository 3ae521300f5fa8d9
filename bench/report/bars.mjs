import { linear } from './scales.mjs';
import { card, element, faint, ink, legend, line, text } from './svg.mjs';
import { short } from './words.mjs';

const width = 860;
const height = 400;
const plot = { left: 70, right: width - 24, top: 104, bottom: height - 58 };

/**
 * Bars side by side: a group for each row, a bar for each series. Each stands on the median, with a line from the least
 * to the most, and its number above.
 * groups: [{label: [line, line], bars: [{value, min, max} or undefined, as many as series]}]
 */
export function barChart({ title, unit, series, groups }) {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map((bar) => bar?.max ?? 0)));
  const y = linear(most, [plot.bottom, plot.top]);
  const pitch = (plot.right - plot.left) / groups.length;
  return card({ width, height, title }, [
    legend(series, { x: 24, y: 62 }),
    text(unit, { x: 24, y: plot.top - 14, fill: faint }),
    y.ticks.map((tick) => [
      line({ from: [plot.left, y.at(tick)], to: [plot.right, y.at(tick)] }),
      text(short(tick), { x: plot.left - 8, y: y.at(tick) + 4, anchor: 'end', fill: faint }),
    ]),
    groups.map((group, at) => groupOf(group, { left: plot.left + at * pitch, pitch, y, series })),
    line({ from: [plot.left, plot.bottom], to: [plot.right, plot.bottom], stroke: ink }),
  ]);
}

function groupOf({ label, bars }, { left, pitch, y, series }) {
  const step = (pitch * 0.86) / series.length;
  const middle = left + pitch / 2;
  return [
    bars.map((bar, at) => {
      const x = left + pitch * 0.07 + at * step;
      return bar ? barOf(bar, { x, step, y, fill: series[at].colour }) : [];
    }),
    label.map((words, at) => text(words, { x: middle, y: plot.bottom + 20 + at * 16, anchor: 'middle' })),
  ];
}

function barOf({ value, min, max }, { x, step, y, fill }) {
  const middle = x + step / 2;
  return [
    element('rect', { x: x + step * 0.1, y: y.at(value), width: step * 0.8, height: plot.bottom - y.at(value), fill }),
    line({ from: [middle, y.at(min)], to: [middle, y.at(max)], stroke: ink, width: 1.5 }),
    text(short(value), { x: middle, y: y.at(max) - 6, size: 11, anchor: 'middle', halo: true }),
  ];
}
