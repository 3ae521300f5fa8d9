import { asked, floorsOf, judgeAll } from './floors.mjs';
import { axes, columnName } from './growth-axes.mjs';
import { shown, systems } from './words.mjs';

const none = '–';

/** Markdown, from a head and rows of cells; numbers stand at the right. */
function table(head, rows, { left = 1 } = {}) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, at) => (at < left ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** What this was measured on, and with what. */
export function runTable(results) {
  const rows = [
    ['Redis persistence', ({ persistence }) => (persistence === 'none' ? 'none' : `append-only file, ${persistence}`)],
    ['measured at', ({ at }) => at.slice(0, 10)],
    ['command', ({ command }) => `\`${command.replace(/ --out \S+/, '')}\``],
    ['processor', ({ machine }) => `${machine.cpu}, ${machine.cores} cores`],
    ['memory', ({ machine }) => `${machine.memoryGiB} GiB`],
    ['kernel', ({ machine }) => machine.kernel],
    ...namesOf(results).map((name) => [name, ({ versions }) => versions[name] ?? none]),
    ['repetitions', ({ repetitions, quick }) => `${repetitions}${quick ? ', quick: smaller sizes' : ''}`],
  ];
  const made = results.map((one) => one.made);
  const cells = rows.map(([word, of]) => [word, ...made.map(of)]);
  return table(cells[0], cells.slice(1), { left: cells[0].length });
}

function namesOf(results) {
  return [...new Set(results.flatMap(({ made }) => Object.keys(made.versions)))];
}

/** A measure: a row for each case, a column for each system, the ratio, and what was to be reached. */
export function measureTable(results, measure) {
  const rows = results.rowsOf(measure);
  const units = new Set(rows.map((row) => unitOf(results, measure, row)));
  const head = [units.size === 1 ? [...units][0] : 'case', ...systems.map(({ name }) => name)];
  return table(
    [...head, 'Duestream / BullMQ', 'floor', 'met'],
    rows.map((row) => rowOf(row)),
  );

  function rowOf(row) {
    const ratio = results.ratio({ measure, row, of: 'duestream', to: 'bullmq' });
    const floors = floorsOf({ measure, row }, results);
    return [
      units.size === 1 ? row : `${row} (${unitOf(results, measure, row)})`,
      ...systems.map(({ id }) => cellOf(results.figure(measure, row, id))),
      ratio === undefined ? none : `${shown(ratio)} ×`,
      floors.map(asked).join('; ') || none,
      floors.map(verdict).join('; ') || none,
    ];
  }
}

function unitOf(results, measure, row) {
  return results.figures.find((one) => one.measure === measure && one.case === row).unit;
}

/** The median, and in brackets the least and the most; where they show as one, no brackets. */
function cellOf(figure) {
  if (figure === undefined) return none;
  const [value, min, max] = [figure.value, figure.min, figure.max].map(shown);
  return min === max ? value : `${value} (${min}–${max})`;
}

function verdict({ isMet }) {
  if (isMet === undefined) return 'not measured';
  return isMet ? 'yes' : '**no**';
}

/** For the README: what most ask for, and where Duestream is not ahead. */
const summary = [
  { words: 'drain, one worker at concurrency 100', measure: 'drain', row: 'one worker, concurrency 100' },
  { words: 'drain, one worker at concurrency 1', measure: 'drain', row: 'one worker, concurrency 1' },
  { words: 'add, 1,000 in one call', measure: 'add', row: 'bulk of 1,000' },
  { words: 'add, one awaited after the other', measure: 'add', row: 'one by one' },
  { words: 'a lone task, late by: median', measure: 'lateness', row: 'one alone, p50' },
  { words: '1,000 due a second, late by: 99 of 100', measure: 'lateness', row: '1,000/s, p99' },
  { words: '100,000 due at once, the last late by', measure: 'lateness', row: '100,000 at one instant, last' },
  { words: 'due now on an idle system, add to start: median', measure: 'latency', row: 'due now, idle, p50' },
  { words: 'Redis memory of a scheduled task', measure: 'cost', row: 'memory per scheduled task, 1,000,000' },
];

/** Medians alone, of the rows above that were measured. */
export function summaryTable(results) {
  const order = ['duestream', 'bullmq', 'bee-queue', 'bare'];
  const cells = (measure, row) => order.map((id) => results.figure(measure, row, id)?.value);
  const rows = summary.filter(({ measure, row }) => results.rowsOf(measure).includes(row));
  return table(
    ['', ...order.map((id) => systems.find((system) => system.id === id).name)],
    rows.map(({ words, measure, row }) => [
      `${words} (${unitOf(results, measure, row)})`,
      ...cells(measure, row).map((value) => (value === undefined ? none : shown(value))),
    ]),
  );
}

const nameOf = Object.fromEntries(systems.map(({ id, name }) => [id, id === 'bare' ? `the ${name}` : name]));

/** Every floor there is, with what was got. */
export function floorsTable(results) {
  const floors = judgeAll(results);
  const measured = floors.filter(({ isMet }) => isMet !== undefined);
  const met = measured.filter(({ isMet }) => isMet).length;
  const rows = floors.map((floor) => {
    const { measure, row, to, got } = floor;
    const figure = got === undefined ? none : shown(got);
    const [compared, cell] = to ? [`to ${nameOf[to]}`, `${figure} ×`] : ['alone', figure];
    return [`${measure}: ${row}`, compared, asked(floor), got === undefined ? none : cell, verdict(floor)];
  });
  const head = ['figure', 'compared', 'floor', 'got', 'met'];
  return `${met} of ${measured.length} floors that were measured are met.\n\n${table(head, rows, { left: 2 })}`;
}

/** Growth: a table for each axis, with a row for each point on it. */
export function growthTables(results) {
  return axes
    .map((axis) => ({ ...axis, rows: axis.rows.filter((row) => results.pointsOf(row).length > 0) }))
    .filter(({ rows }) => rows.length > 0)
    .map((axis) => growthTable(axis, results))
    .join('\n\n');
}

function growthTable({ name, rows }, results) {
  const points = new Map(rows.map((row) => [row, results.pointsOf(row)]));
  const places = [...new Set([...points.values()].flat().map(({ x }) => x))].toSorted((one, other) => one - other);
  const head = [name, ...rows.map((row) => `${columnName(row)} (${points.get(row)[0].unit})`)];
  const cells = places.map((x) => [
    x.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ','),
    ...rows.map((row) => cellOf(points.get(row).find((point) => point.x === x))),
  ]);
  return table(head, cells, { left: 0 });
}
