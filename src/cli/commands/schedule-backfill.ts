import { scheduler } from 'node:timers/promises';
import { type BackfillInfo, type BackfillOptions, formatDuration, type Queue, type ScheduleInfo } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { conflict, usage } from '../failure.js';
import { note, print, printJson, timeText } from '../output.js';
import { backfillText } from '../schedule-text.js';
import { StopSignal } from '../stop-signal.js';
import { patient, withQueue } from '../with-queue.js';
import { unknownSchedule } from './schedule-views.js';

export const backfill: Command = {
  flags: {
    from: { describe: 'The first time, 2027-01-01T09:00+01:00' },
    to: { describe: 'Up to but not at that time (default: now)' },
    'per-second': { describe: 'At most so many a second, 1 to 10000 (default: 100)' },
    again: { describe: 'Also those that were fired, as far as they are not in the queue', isSwitch: true },
    wait: { describe: 'Until it is done', isSwitch: true },
    'dry-run': { describe: 'Only say how many it would add', isSwitch: true },
    stop: { describe: 'Instead: end the one that is under way; what it has added stays', isSwitch: true },
    ...json,
    ...connected,
  },
  examples: [
    ['schedule backfill mail nightly --from 2026-01-01T00:00Z --dry-run', 'how many that would add'],
    ['schedule backfill mail nightly --from 2026-01-01T00:00Z', 'the times since then that were not fired, each once'],
    ['schedule backfill mail nightly --stop', 'no more of it'],
  ],
  run: runBackfill,
};

const perSecondRange = { min: 1, max: 10_000 };
const perSecondDefault = 100;
const lookEveryMs = 250;
/** So many looks without an advance, and it is said what may be the cause. */
const idleLooksMax = 12;

async function runBackfill(args: Arguments): Promise<number | void> {
  if (args.on('stop')) return stopBackfill(args);
  const options = optionsOf(args);
  if (args.on('dry-run')) return previewBackfill(args, options);
  const begun = await withQueue(args, (queue) => queue.schedules.backfill(args.word('schedule'), options));
  const isJson = args.on('json');
  if (!isJson && begun.backfill) print(`${begun.name}: backfill of ${backfillText(begun.backfill)}`);
  if (!args.on('wait')) return isJson ? printJson(begun) : undefined;
  const stop = new StopSignal('waits no longer; the backfill goes on');
  try {
    const done = await withQueue(args, (queue) => ended(queue, begun, { args, stop }), patient);
    if (done === undefined) return stop.exitCode;
    if (isJson) printJson(done);
    tellEnd(done, isJson);
  } finally {
    stop.close();
  }
}

function optionsOf(args: Arguments): BackfillOptions {
  if (args.on('wait') && args.on('dry-run')) throw usage('give only one of --wait and --dry-run');
  const from = args.text('from');
  if (from === undefined) throw usage('schedule backfill needs --from: the first time');
  const to = args.text('to');
  const perSecond = args.whole('per-second', perSecondRange);
  return {
    from,
    again: args.on('again'),
    ...(to !== undefined && { to }),
    ...(perSecond !== undefined && { perSecond }),
  };
}

async function previewBackfill(args: Arguments, options: BackfillOptions): Promise<void> {
  const preview = await withQueue(args, (queue) => queue.schedules.previewBackfill(args.word('schedule'), options));
  if (args.on('json')) return printJson(preview);
  const { name, from, to, count, hasMore } = preview;
  const takesMs = Math.ceil(count / (options.perSecond ?? perSecondDefault)) * 1_000;
  const [much, long] = hasMore ? ['more than ', 'more than '] : ['', 'about '];
  const took = count === 0 ? '' : `, in ${long}${formatDuration(takesMs)}`;
  print(`${name}: a backfill of ${timeText(from)} up to ${timeText(to)} would add ${much}${count}${took}`);
}

async function stopBackfill(args: Arguments): Promise<void> {
  const others = ['from', 'to', 'per-second'].filter((name) => args.text(name) !== undefined);
  const more = [...others, ...['again', 'wait', 'dry-run'].filter((name) => args.on(name))];
  if (more.length > 0) throw usage(`--stop goes with no --${more[0]}`);
  const name = args.word('schedule');
  const { was, info } = await withQueue(args, async (queue) => {
    return { was: await queue.schedules.get(name), info: await queue.schedules.stopBackfill(name) };
  });
  if (args.on('json')) return printJson(info);
  if (!was?.backfill || !info.lastBackfill) return print(`${name} was not being backfilled`);
  print(`${name}: backfill of ${backfillText(info.lastBackfill, true)}`);
}

/** Undefined when a signal came first. */
async function ended(
  queue: Queue,
  begun: ScheduleInfo,
  { args, stop }: { args: Arguments; stop: StopSignal },
): Promise<ScheduleInfo | undefined> {
  let nextMs = 0;
  for (let idleLooks = 0; !stop.signal.aborted; idleLooks += 1) {
    const info = await queue.schedules.get(begun.name);
    if (info === null) throw unknownSchedule(args);
    if (!isSameRange(info.backfill, begun.backfill)) return info;
    const { next = 0 } = info.backfill ?? {};
    if (next > nextMs) idleLooks = 0;
    nextMs = next;
    if (idleLooks === idleLooksMax) await tellWhy(queue, info);
    await scheduler.wait(lookEveryMs, { signal: stop.signal }).catch(() => {}); // aborted: that is looked at above
  }
  return undefined;
}

function isSameRange(one: BackfillInfo | null, other: BackfillInfo | null): boolean {
  return one?.from === other?.from && one?.to === other?.to;
}

/** Somebody may have ended it, by --stop or by another rule. */
function tellEnd({ name, lastBackfill }: ScheduleInfo, isJson: boolean): void {
  if (lastBackfill === null) throw conflict(`${name} was made anew: its backfill is gone`);
  const { to, next, added } = lastBackfill;
  if (next < to) throw conflict(`the backfill of ${name} was stopped at ${timeText(next)}: ${added} added`);
  if (!isJson) print(`${name}: backfill done, ${added} added`);
}

async function tellWhy(queue: Queue, info: ScheduleInfo): Promise<void> {
  if (info.paused) note(`${info.name} is paused: its backfill goes on when it is resumed`);
  else if ((await queue.leader()) === null) note(`nobody leads ${queue.name}: start a worker or a leader`);
}
