import { median } from '../statistics.mjs';
import { fleetOf, loads } from './model.mjs';

const columns = [
  ['drainPerSecond', 'tasks/s, one worker', 0],
  ['drainRedisMicros', 'drain: Redis µs', 1],
  ['drainNodeMicros', 'drain: Node µs', 1],
  ['drainWireBytes', 'drain: bytes on the wire', 0],
  ['lifeRedisMicros', 'life: Redis µs', 1],
  ['lifeWireBytes', 'life: bytes on the wire', 0],
  ['producerMicros', 'producer µs', 1],
  ['leaderMicros', 'leader µs', 1],
  ['workerMicros', 'worker µs', 1],
  ['memoryBytes', 'bytes, scheduled', 0],
  ['connections', 'connections', 0],
];

/** A row for each point, of medians. */
export function pointsTable({ points }) {
  const rows = points.map(({ masters, partitions, figures }) => [
    String(masters),
    String(partitions),
    ...columns.map(([name, , digits]) => shown(median(figures[name]), digits)),
  ]);
  return tableOf(['masters', 'partitions', ...columns.map(([, title]) => title)], rows);
}

/**
 * What a task costs compared with one partition: the median of the ratios within each repetition, in which all
 * of these were measured one right after the other. And how far apart the least and the most of these are.
 */
export function spreadTable({ points }) {
  const flat = ['drainRedisMicros', 'drainNodeMicros', 'drainWireBytes', 'memoryBytes'];
  const counts = [...new Set(points.map(({ partitions }) => partitions))];
  const rows = [...new Set(points.map(({ masters }) => masters))].flatMap((masters) => {
    const [one, ...others] = points.filter((point) => point.masters === masters);
    return flat.map((name) => {
      const [, title, digits] = columns.find(([column]) => column === name);
      const ratios = others.map(({ figures }) => ratioOf(figures[name], one.figures[name]));
      const all = [1, ...ratios];
      const apart = `${Math.round((Math.max(...all) / Math.min(...all) - 1) * 100)} %`;
      const times = ratios.map((ratio) => `${shown(ratio, 2)} ×`);
      return [String(masters), title, shown(median(one.figures[name]), digits), ...times, apart];
    });
  });
  const titles = counts.map((count) => (count === 1 ? '1 partition' : String(count)));
  return tableOf(['masters', 'a task, at full backlog', ...titles, 'apart'], rows);
}

function ratioOf(values, base) {
  return median(values.map((value, repetition) => value / base[repetition]));
}

const idleColumns = [
  ['leaderMicros', 'leader'],
  ['workerMicros', 'worker'],
  ['leaderRedisMicros', 'Redis, for the leader'],
  ['workerRedisMicros', 'Redis, for the worker'],
];

/** What partitions cost while nothing happens, in percent of a core. */
export function idleTable({ idle }) {
  const rows = idle.map(({ partitions, figures }) => [
    String(partitions),
    ...idleColumns.map(([name]) => `${shown(median(figures[name]) / 10_000, 1)} %`),
  ]);
  return tableOf(['partitions, idle', ...idleColumns.map(([, title]) => title)], rows);
}

/** What one partition more costs in a second while nothing happens. */
function idleCostOf(idle) {
  const [least, most] = [idle.at(0), idle.at(-1)];
  const more = most.partitions - least.partitions;
  const costs = idleColumns.map(([name]) => [
    name,
    Math.max(0, median(most.figures[name]) - median(least.figures[name])) / more,
  ]);
  return Object.fromEntries(costs);
}

/** What the model makes of the most partitions on the most masters that were measured. */
export function modelTable({ points, idle }) {
  const { figures } = points.at(-1);
  const cost = {
    redisMicros: median(figures.lifeRedisMicros),
    workerMicros: median(figures.workerMicros),
    leaderMicros: median(figures.leaderMicros),
    wireBytes: median(figures.lifeWireBytes),
    memoryBytes: median(figures.memoryBytes),
    partition: idleCostOf(idle),
  };
  const rows = loads.map((load) => {
    const size = fleetOf(cost, load);
    return [
      shown(load.tasksPerSecond, 0),
      shown(load.scheduled, 0),
      shown(size.queues, 0),
      shown(size.masters, 0),
      shown(size.partitions, 0),
      shown(size.workers, 0),
      shown(size.memoryBytes / 1e9, 0),
      shown(size.wireBytesPerSecond / 1e6, 0),
      shown(size.leaderCores, 2),
      shown(size.connectionsPerMaster, 0),
      size.limit,
    ];
  });
  const titles = ['tasks/s', 'scheduled', 'queues', 'masters', 'partitions', 'worker processes', 'memory, GB'];
  return tableOf([...titles, 'wire, MB/s', 'leaders, cores', 'connections a master', 'one queue would meet'], rows);
}

function tableOf(titles, rows) {
  const lines = [titles, titles.map(() => '---:'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function shown(value, digits) {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
