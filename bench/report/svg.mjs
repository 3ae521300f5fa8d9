/** SVG as text: what a plot is drawn with. */

export const ink = '#1f2328';
export const faint = '#59636e';
export const rule = '#d8dee4';
const font = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

/** `<name a="1">…</name>`; numbers to a tenth of a pixel, what is undefined is left out. */
export function element(name, attributes, children = []) {
  const words = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? tenth(value) : escaped(value)}"`);
  const body = [children].flat().join('\n');
  return body === '' ? `<${name}${words.join('')}/>` : `<${name}${words.join('')}>${body}</${name}>`;
}

/** `halo`: what lies behind it keeps off, where that may be a line. */
export function text(words, { x, y, size = 12, anchor = 'start', weight, fill = ink, halo = false }) {
  const around = halo ? { stroke: '#ffffff', 'stroke-width': 4, 'paint-order': 'stroke' } : {};
  const attributes = { x, y, 'font-size': size, 'text-anchor': anchor, 'font-weight': weight, fill, ...around };
  return element('text', attributes, escaped(words));
}

export function line({ from, to, stroke = rule, width = 1, dash }) {
  const [[x1, y1], [x2, y2]] = [from, to];
  return element('line', { x1, y1, x2, y2, stroke, 'stroke-width': width, 'stroke-dasharray': dash });
}

/** A whole picture on a white card of its own, so that it reads on a dark page as well. */
export function card({ width, height, title }, parts) {
  const frame = { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 8, fill: '#ffffff', stroke: rule };
  const size = { width, height, viewBox: `0 0 ${tenth(width)} ${tenth(height)}` };
  const picture = element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img', 'font-family': font }, [
    element('title', {}, escaped(title)),
    element('rect', frame),
    text(title, { x: 24, y: 34, size: 16, weight: '600' }),
    ...parts.flat(Number.POSITIVE_INFINITY),
  ]);
  return `${picture.replace(/></g, '>\n<')}\n`;
}

/** About as wide as a sans-serif draws it. */
export function widthOf(words, size = 12) {
  return words.length * size * 0.56;
}

/** A mark of its own shape for each series, so that colour is not all there is. */
export function mark(shape, { x, y, fill, size = 5 }) {
  if (shape === 1) return element('circle', { cx: x, cy: y, r: size, fill });
  const corners = {
    0: [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ].map(([dx, dy]) => [dx * 0.85, dy * 0.85]),
    2: [
      [0, -1.25],
      [1.25, 0],
      [0, 1.25],
      [-1.25, 0],
    ],
    3: [
      [0, -1.2],
      [1.15, 0.9],
      [-1.15, 0.9],
    ],
  }[shape % 4];
  const points = corners.map(([dx, dy]) => `${tenth(x + dx * size)},${tenth(y + dy * size)}`).join(' ');
  return element('polygon', { points, fill });
}

/** Names with their signs in a row: a bar, a mark where the series has a `shape`, a dashed line where it `isLimit`. */
export function legend(series, { x, y }) {
  let at = x;
  return series.map((one) => {
    const left = at;
    at += 18 + widthOf(one.name) + 20;
    return [signOf(one, { left, y }), text(one.name, { x: left + 18, y })];
  });
}

function signOf({ colour, shape, isLimit }, { left, y }) {
  if (isLimit) return line({ from: [left, y - 4], to: [left + 13, y - 4], stroke: ink, dash: '4 4' });
  if (shape !== undefined) return mark(shape, { x: left + 6, y: y - 4, fill: colour });
  return element('rect', { x: left, y: y - 10, width: 12, height: 12, rx: 2, fill: colour });
}

function tenth(number) {
  return String(Math.round(number * 10) / 10);
}

function escaped(words) {
  return String(words).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
