import { linear, ofPlaces } from './scales.mjs';
import { card, element, faint, ink, legend, line, mark, text } from './svg.mjs';
import { short } from './words.mjs';

const panel = { width: 430, height: 308 };
const inside = { left: 66, right: 28, top: 82, bottom: 58 };
const head = 44;

/**
 * Panels of lines, two in a row. The x axis is logarithmic, with a mark at each place that was measured; y begins at 0. A
 * line goes through the medians, and each stands on a line from the least to the most.
 * panels: [{title, xUnit, yUnit, limit: {value, words} or undefined, series: [{name, colour, points: [{x, value, min, max}]}]}]
 */
export function lineCharts({ title, panels }) {
  const columns = Math.min(2, panels.length);
  const size = { width: columns * panel.width, height: head + Math.ceil(panels.length / columns) * panel.height };
  const placed = panels.map((one, at) =>
    panelOf(one, { left: (at % columns) * panel.width, top: head + Math.floor(at / columns) * panel.height }),
  );
  return card({ ...size, title }, placed);
}

function panelOf({ title, xUnit, yUnit, limit, series }, { left, top }) {
  const box = {
    left: left + inside.left,
    right: left + panel.width - inside.right,
    top: top + inside.top,
    bottom: top + panel.height - inside.bottom,
  };
  const shaped = series.map((one, at) => ({ ...one, shape: at + 1 }));
  const points = series.flatMap((one) => one.points);
  const places = [...new Set(points.map(({ x }) => x))].toSorted((one, other) => one - other);
  const x = ofPlaces(places, [box.left + 12, box.right - 12]);
  const y = linear(Math.max(limit?.value ?? 0, ...points.map(({ max }) => max)), [box.bottom, box.top]);
  return [
    text(title, { x: left + 24, y: top + 22, size: 13, weight: '600' }),
    legend([...shaped, ...(limit ? [{ name: limit.words, isLimit: true }] : [])], { x: left + 24, y: top + 43 }),
    axesOf({ x, y, box, xUnit, yUnit, left }),
    limit
      ? line({ from: [box.left, y.at(limit.value)], to: [box.right, y.at(limit.value)], stroke: ink, dash: '4 4' })
      : [],
    shaped.map((one) => lineOf(one, { x, y })),
  ];
}

function axesOf({ x, y, box, xUnit, yUnit, left }) {
  return [
    text(yUnit, { x: left + 24, y: box.top - 16, fill: faint }),
    y.ticks.map((tick) => [
      line({ from: [box.left, y.at(tick)], to: [box.right, y.at(tick)] }),
      text(short(tick), { x: box.left - 8, y: y.at(tick) + 4, anchor: 'end', fill: faint }),
    ]),
    x.ticks.map((tick) => [
      line({ from: [x.at(tick), box.bottom], to: [x.at(tick), box.bottom + 5], stroke: ink }),
      text(short(tick), { x: x.at(tick), y: box.bottom + 20, anchor: 'middle', fill: faint }),
    ]),
    line({ from: [box.left, box.bottom], to: [box.right, box.bottom], stroke: ink }),
    text(xUnit, { x: box.right, y: box.bottom + 40, anchor: 'end', fill: faint }),
  ];
}

function lineOf({ colour, points, shape }, { x, y }) {
  const way = points.map((point) => `${x.at(point.x).toFixed(1)},${y.at(point.value).toFixed(1)}`).join(' ');
  return [
    element('polyline', { points: way, fill: 'none', stroke: colour, 'stroke-width': 2 }),
    points.map((point) => [
      line({
        from: [x.at(point.x), y.at(point.min)],
        to: [x.at(point.x), y.at(point.max)],
        stroke: colour,
        width: 1.5,
      }),
      mark(shape, { x: x.at(point.x), y: y.at(point.value), fill: colour, size: 4 }),
    ]),
  ];
}
