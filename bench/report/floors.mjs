/**
 * What was to be reached at least. A floor is on a figure of Duestream's, or on how it stands to another system's in the
 * same run; `judge` says what was got and whether that is enough.
 */
const drain100 = 'one worker, concurrency 100';

const againstBullmq = [
  { measure: 'add', row: 'one by one', atLeast: 1.7 },
  { measure: 'add', row: '100 in flight', atLeast: 4 },
  { measure: 'add', row: 'bulk of 1,000', atLeast: 10 },
  { measure: 'drain', row: 'one worker, concurrency 1', atLeast: 2 },
  { measure: 'drain', row: 'one worker, concurrency 10', atLeast: 4 },
  { measure: 'drain', row: drain100, atLeast: 5, aim: '8 ×' },
  { measure: 'drain', row: 'two workers, concurrency 100', atLeast: 6.5, aim: '10 ×' },
  { measure: 'latency', row: 'due now, idle, p50', atMost: 1 / 2, words: '1/2' },
  { measure: 'lateness', row: '100,000 at one instant, last', atMost: 1 / 4, words: '1/4', aim: '1/6' },
  { measure: 'lateness', row: '1,000/s, p99', atMost: 1 / 10, words: '1/10' },
  { measure: 'lateness', row: 'one alone, p50', atMost: 1 / 15, words: '1/15' },
  { measure: 'lateness', row: 'one alone, p99', atMost: 1 / 8, words: '1/8' },
  { measure: 'cost', row: 'memory per scheduled task, 200,000', atMost: 0.42, words: '0.42' },
  { measure: 'cost', row: 'memory per scheduled task, 1,000,000', atMost: 0.42, words: '0.42' },
  { measure: 'cost', row: 'Redis CPU per task drained', atMost: 1 / 5, words: '1/5' },
  { measure: 'cost', row: 'Node CPU per task drained', atMost: 1 / 4, words: '1/4' },
].map((floor) => ({ ...floor, to: 'bullmq' }));

const absolute = [
  { measure: 'lateness', row: '1,000/s, p50', atMost: 1.5, words: '1.5 ms' },
  { measure: 'cost', row: 'idle leader and worker', atMost: 10, words: '10 commands/s' },
  { measure: 'cost', row: 'slow handlers, share of what is possible', atLeast: 0.95, words: '0.95' },
  { measure: 'cost', row: 'two workers, smaller share of a backlog', atLeast: 0.4, words: '0.4' },
];

/** 1.6 times the bare loop's time. */
const againstBare = { measure: 'drain', row: drain100, to: 'bare', atLeast: 1 / 1.6, words: '1/1.6' };

const scriptMsMax = 5;
/** Where the bare loop itself is not ahead of bee-queue, so near to it is near enough. */
const nearEnough = 0.9;

/** Of these results: a floor each, with {got, isMet}; got is undefined for what was not measured. */
export function judgeAll(results) {
  const ratios = [...againstBullmq, againstBare, ...againstBeeQueue(results)];
  return [...ratios, ...absolute].map((floor) => judge(floor, results)).concat(scriptsIn(results));
}

/** The floors that stand in the table of a measure: against BullMQ, or a figure alone. */
export function floorsOf({ measure, row }, results) {
  return [...againstBullmq, ...absolute]
    .filter((floor) => floor.measure === measure && floor.row === row)
    .map((floor) => judge(floor, results));
}

function judge(floor, results) {
  const { measure, row, to } = floor;
  const got = to
    ? results.ratio({ measure, row, of: 'duestream', to })
    : results.figure(measure, row, 'duestream')?.value;
  if (got === undefined) return floor;
  return { ...floor, got, isMet: floor.atLeast === undefined ? got <= floor.atMost : got >= floor.atLeast };
}

/** To be ahead of it on every row on which BullMQ is a peer. */
function againstBeeQueue(results) {
  return againstBullmq.map(({ measure, row, atLeast }) => {
    const bare = results.ratio({ measure, row, of: 'bare', to: 'bee-queue' });
    const isMore = atLeast !== undefined;
    const bareIsAhead = bare === undefined || (isMore ? bare > 1 : bare < 1);
    const share = bareIsAhead ? 1 : nearEnough;
    const limit = isMore ? { atLeast: share } : { atMost: 1 / share };
    return { measure, row, to: 'bee-queue', ...limit, words: bareIsAhead ? '1 ×' : '1 ×, within 10 %' };
  });
}

/** The longest script, of all that were measured. */
function scriptsIn(results) {
  const rows = results.rowsOf('growth').filter((row) => row.startsWith('longest script'));
  return rows.map((row) => {
    const got = Math.max(...results.pointsOf(row).map(({ value }) => value));
    return { measure: 'growth', row, atMost: scriptMsMax, words: `${scriptMsMax} ms`, got, isMet: got <= scriptMsMax };
  });
}

/** "≥ 5 ×, aim 8 ×". */
export function asked({ atLeast, words = `${atLeast} ×`, aim }) {
  return `${atLeast === undefined ? '≤' : '≥'} ${words}${aim ? `, aim ${aim}` : ''}`;
}
