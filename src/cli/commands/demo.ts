import type { Arguments } from '../arguments.js';
import type { Command } from '../command.js';
import { type FaultName, faultNames } from '../demo/fault.js';
import { planOf } from '../demo/plan.js';
import { Play } from '../demo/play.js';
import { screenFor } from '../demo/screen.js';
import { Stage } from '../demo/stage.js';
import { summaryOf } from '../demo/summary.js';
import type { Report } from '../demo/verdict.js';
import { exitCodes } from '../failure.js';
import { print, printJson } from '../output.js';
import { redisUrlOf } from '../redis-address.js';
import { StopSignal } from '../stop-signal.js';

export const command: Command = {
  flags: {
    redis: {
      describe:
        'A Redis that is there, used under a prefix of its own that is cleaned up; else DUESTREAM_REDIS_URL, ' +
        'else REDIS_URL, else one is started',
    },
    fault: { describe: `Break a promise on purpose, to see the check fail: ${faultNames.join(', ')}` },
    json: { describe: 'Print the report as one JSON document; what happens meanwhile goes to stderr', isSwitch: true },
    seconds: { describe: 'How long it takes (default: 20)', hidden: true },
    tasks: { describe: 'How many tasks (default: 4000)', hidden: true },
  },
  examples: [
    ['demo', '20 seconds, five processes, one of them killed'],
    ['demo --fault lose', 'the same, and the check says what is wrong; exit 1'],
  ],
  run: demo,
};

const secondsRange = { min: 3, max: 600 };
const tasksRange = { min: 100, max: 50_000 };

async function demo(args: Arguments): Promise<number> {
  const seconds = args.whole('seconds', secondsRange) ?? 20;
  const plan = planOf({ seconds, tasks: args.whole('tasks', tasksRange) ?? 4_000 });
  const fault = args.oneOf('fault', faultNames);
  const stop = new StopSignal('stopping the processes of the demo');
  const screen = screenFor(args.on('json') ? process.stderr : process.stdout);
  try {
    const report = await play(args, { plan, fault, screen, signal: stop.signal });
    if (report === undefined || stop.exitCode !== undefined) return stop.exitCode ?? exitCodes.failed;
    if (args.on('json')) printJson(report);
    else print(summaryOf(report, screen.paint));
    return report.held ? exitCodes.ok : exitCodes.failed;
  } finally {
    screen.end();
    stop.close();
  }
}

type Parts = Omit<ConstructorParameters<typeof Play>[0], 'stage' | 'fault'> & { fault: FaultName | undefined };

async function play(args: Arguments, parts: Parts): Promise<Report | undefined> {
  const stage = await Stage.open(hasAddress(args) ? redisUrlOf(args) : undefined);
  try {
    parts.screen.tell({ atMs: 0, text: `on ${stage.place}, under the prefix ${stage.prefix}, which goes at the end` });
    return parts.signal.aborted ? undefined : await new Play({ ...parts, stage }).run();
  } finally {
    await stage.close();
  }
}

function hasAddress(args: Arguments): boolean {
  return args.text('redis') !== undefined || Boolean(process.env['DUESTREAM_REDIS_URL'] || process.env['REDIS_URL']);
}
