import { scheduler } from 'node:timers/promises';
import type { BackfillOptions, Queue, ScheduleInfo } from '../../index.js';
import type { Arguments } from '../arguments.js';
import { type Command, connected, json } from '../command.js';
import { conflict, usage } from '../failure.js';
import { note, print, printJson } from '../output.js';
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
    ...json,
    ...connected,
  },
  examples: [
    ['schedule backfill mail nightly --from 2026-01-01T00:00Z', 'the times since then that were not fired, each once'],
  ],
  run: runBackfill,
};

const perSecondRange = { min: 1, max: 10_000 };
const lookEveryMs = 250;
/** So many looks without an advance, and it is said what may be the cause. */
const idleLooksMax = 12;

async function runBackfill(args: Arguments): Promise<number | void> {
  const options = optionsOf(args);
  const begun = await withQueue(args, (queue) => queue.schedules.backfill(args.word('schedule'), options));
  const isJson = args.on('json');
  if (!isJson && begun.backfill) print(`${begun.name}: backfill of ${backfillText(begun.backfill)}`);
  if (!args.on('wait')) return isJson ? printJson(begun) : undefined;
  const stop = new StopSignal('waits no longer; the backfill goes on');
  try {
    const done = await withQueue(args, (queue) => ended(queue, begun, { args, stop }), patient);
    if (done === undefined) return stop.exitCode;
    if (isJson) printJson(done);
    else print(`${done.name}: backfill done`);
  } finally {
    stop.close();
  }
}

function optionsOf(args: Arguments): BackfillOptions {
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
    if (info.version !== begun.version)
      throw conflict(`${begun.name} was changed: its backfill may have been given up`);
    if (info.backfill === null) return info;
    if (info.backfill.next > nextMs) idleLooks = 0;
    nextMs = info.backfill.next;
    if (idleLooks === idleLooksMax) await tellWhy(queue, info);
    await scheduler.wait(lookEveryMs, { signal: stop.signal }).catch(() => {}); // aborted: that is looked at above
  }
  return undefined;
}

async function tellWhy(queue: Queue, info: ScheduleInfo): Promise<void> {
  if (info.paused) note(`${info.name} is paused: its backfill goes on when it is resumed`);
  else if ((await queue.leader()) === null) note(`nobody leads ${queue.name}: start a worker or a leader`);
}
