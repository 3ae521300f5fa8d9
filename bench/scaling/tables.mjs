import { median } from '../statistics.mjs';
import { loads, sizeOf } from './model.mjs';

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

/** How far the medians of the points lie apart, as a share of the smallest. */
export function spreadTable({ points }) {
  const flat = ['drainRedisMicros', 'drainNodeMicros', 'drainWireBytes', 'memoryBytes'];
  const rows = flat.map((name) => {
    const values = points.map(({ figures }) => median(figures[name]));
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const title = columns.find(([column]) => column === name)[1];
    return [title, shown(least, 1), shown(most, 1), `${Math.round((most / least - 1) * 100)} %`];
  });
  return tableOf(['a task, at full backlog', 'least', 'most', 'apart'], rows);
}

/** What the model makes of the most partitions on the most masters that were measured. */
export function modelTable({ points }) {
  const { figures } = points.at(-1);
  const cost = {
    redisMicros: median(figures.lifeRedisMicros),
    workerMicros: median(figures.workerMicros),
    leaderMicros: median(figures.leaderMicros),
    wireBytes: median(figures.lifeWireBytes),
    memoryBytes: median(figures.memoryBytes),
  };
  const rows = loads.map((load) => {
    const size = sizeOf(cost, load);
    return [
      shown(load.tasksPerSecond, 0),
      shown(load.scheduled, 0),
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
  const titles = ['tasks/s', 'scheduled', 'masters', 'partitions', 'worker processes', 'memory, GB', 'wire, MB/s'];
  return tableOf([...titles, 'leader, cores', 'connections a master', 'the next limit'], rows);
}

function tableOf(titles, rows) {
  const lines = [titles, titles.map(() => '---:'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function shown(value, digits) {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
