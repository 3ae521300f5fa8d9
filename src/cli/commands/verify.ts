import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Arguments } from '../arguments.js';
import type { Command } from '../command.js';
import { exitCodes, lineOf, usage } from '../failure.js';
import { note, print, printJson } from '../output.js';
import { isOfSeveral, redisUrlOf } from '../redis-address.js';
import { StopSignal } from '../stop-signal.js';
import { runCampaign } from '../verify/campaign.js';
import { check, type Verdict } from '../verify/checker/check.js';
import { faultNames, faults } from '../verify/faults/faults.js';
import { readHistory } from '../verify/history/read.js';
import type { HistoryRecord } from '../verify/history/records.js';
import { type Plan, type Variant, variantOf } from '../verify/plan.js';
import { type Campaign, reportOf, tableOf } from '../verify/report.js';

export const command: Command = {
  flags: {
    seed: { describe: 'What the order of the faults is drawn from (default: 1)' },
    seeds: { describe: 'That many campaigns, one seed after the other, and a table at the end (default: 1)' },
    seconds: { describe: 'How long things are broken (default: 60); calm and draining come on top' },
    faults: {
      describe: `Only these, with commas; none: no fault at all. All of: ${namesOf(false)}; made only when named: ${namesOf(true)}`,
    },
    redis: {
      describe:
        'A Redis that is there, under a prefix of its own that is removed; it is not killed, stopped or filled. ' +
        'env: the one of DUESTREAM_REDIS_URL or REDIS_URL, for an address with a password',
    },
    replicated: {
      describe: 'A Redis of its own with two replicas and three Sentinels; the faults are then failovers',
      isSwitch: true,
    },
    cluster: {
      describe: 'A Redis Cluster of its own, three masters with a replica each; masters die, freeze, and slots move',
      isSwitch: true,
    },
    durability: { describe: 'Of the adds, with --cluster: memory or replicated (default: by the seed)' },
    'min-replicas': { describe: 'min-replicas-to-write of a replicated Redis: 0 or 1 (default: by the seed)' },
    partitions: { describe: 'Of the queue, 1 to 64 (default: by the seed, 1 or 4; with --cluster 4 or 12)' },
    history: {
      describe: 'Keep the history in this folder, a folder for each seed (default: removed when all promises held)',
    },
    check: { describe: 'Only judge the history in this folder' },
    quick: { describe: 'Judge no times: for a machine that does other things too', isSwitch: true },
    rate: { describe: 'Tasks a second (default: 300; with --cluster 100)' },
    lanes: { describe: 'How many faults at a time (default: 2)' },
    json: { describe: 'Print the verdict as one JSON document', isSwitch: true },
  },
  examples: [
    ['verify --seed 7 --seconds 60', 'a minute of faults on a Redis of its own, and the check of what happened'],
    ['verify --seeds 10 --seconds 60', 'ten campaigns, and a table of what they met'],
    ['verify --cluster --seed 1', 'on a Redis Cluster of its own: masters die, freeze, and slots move'],
    ['verify --redis redis://127.0.0.1:6379', 'the part that harms nobody, on your own Redis'],
    ['verify --faults leader-freeze,redis-kill', 'only these'],
  ],
  run: verify,
};

function namesOf(alone: boolean): string {
  return faults
    .filter((fault) => (fault.alone ?? false) === alone)
    .map(({ name }) => name)
    .join(', ');
}

async function verify(args: Arguments): Promise<number> {
  const judged = args.text('check');
  if (judged !== undefined) return tell(args, [{ seed: 0, verdict: check(await historyIn(resolve(judged))) }]);
  const settings = settingsOf(args);
  const seeds = seedsOf(args);
  const stop = new StopSignal('ending the campaign');
  try {
    const campaigns: Campaign[] = [];
    for (const seed of seeds) {
      const verdict = await campaignOf(
        { ...settings, ...variantOf(seed, settings.servers), ...settings.fixed, seed },
        args,
        stop,
      );
      if (verdict === undefined) return stop.exitCode ?? exitCodes.failed;
      campaigns.push({ seed, verdict });
    }
    return tell(args, campaigns);
  } finally {
    stop.close();
  }
}

/** Undefined when it was ended before its time. */
async function campaignOf(
  plan: Omit<Plan, 'historyFolder'>,
  args: Arguments,
  stop: StopSignal,
): Promise<Verdict | undefined> {
  const given = args.text('history');
  const historyFolder =
    given === undefined ? await mkdtemp(join(tmpdir(), 'duestream-verify-')) : resolve(given, `seed-${plan.seed}`);
  await newFolder(historyFolder);
  try {
    return await judgedCampaign({ ...plan, historyFolder }, stop, given === undefined);
  } catch (error) {
    const hasBegun = (await readdir(historyFolder)).length > 1;
    if (given !== undefined || hasBegun) note(`what there is of the history is in ${historyFolder}`);
    else await rm(historyFolder, { recursive: true });
    throw error;
  }
}

async function judgedCampaign(plan: Plan, stop: StopSignal, mayGo: boolean): Promise<Verdict | undefined> {
  const { historyFolder } = plan;
  note(`seed ${plan.seed}: ${plan.seconds} s of faults`);
  await runCampaign({ plan, signal: stop.signal, tell: note });
  const verdict = stop.exitCode === undefined ? check(await readHistory(historyFolder)) : undefined;
  if (mayGo && verdict?.held !== false) await rm(historyFolder, { recursive: true });
  else note(`the history is in ${historyFolder}; duestream verify --check judges it again`);
  return verdict;
}

function tell(args: Arguments, campaigns: readonly Campaign[]): number {
  const verdicts = campaigns.map(({ verdict }) => verdict);
  if (args.on('json')) printJson(verdicts.length === 1 ? verdicts[0] : verdicts);
  else
    print(
      verdicts
        .map(reportOf)
        .concat(verdicts.length > 1 ? tableOf(campaigns) : [])
        .join('\n\n'),
    );
  return verdicts.every(({ held }) => held) ? exitCodes.ok : exitCodes.failed;
}

async function historyIn(folder: string): Promise<HistoryRecord[]> {
  const names = await readdir(folder).catch(() => []);
  if (!names.some((name) => name.endsWith('.jsonl'))) {
    throw usage(`there is no history in ${folder}: name a folder that verify --history has filled, as in …/seed-1`);
  }
  return readHistory(folder);
}

/** A history is one campaign's. */
async function newFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw usage(`${folder} can't be made: ${lineOf(error)}`);
  });
  if ((await readdir(folder)).length > 0) throw usage(`${folder} is not empty: name a folder that is new`);
}

function seedsOf(args: Arguments): number[] {
  const first = args.whole('seed', { min: 0, max: 2 ** 31 }) ?? 1;
  return Array.from({ length: args.whole('seeds', { min: 1, max: 1_000 }) ?? 1 }, (_, at) => first + at);
}

type Settings = Omit<Plan, 'seed' | 'historyFolder' | keyof Variant> & { readonly fixed: Partial<Variant> };

/** What holds for every seed; `fixed` is what the seed must not draw. */
function settingsOf(args: Arguments): Settings {
  const connection = connectionIn(args);
  if (connection?.startsWith('rediss:'))
    throw usage('verify puts a network of its own in between, which TLS does not allow: use redis://');
  const variant = variantIn(args, connection);
  return {
    seconds: args.whole('seconds', { min: 1, max: 86_400 }) ?? 60,
    form: args.on('quick') ? 'quick' : 'long',
    connection,
    ...variant,
    producers: 3,
    leaders: 3,
    workers: 3,
    concurrency: 10,
    tasksPerSecond: args.whole('rate', { min: 3, max: 10_000 }) ?? rateOf(variant.servers),
    leaseMs: 3_000,
    lockTtlMs: 1_000,
    lanes: args.whole('lanes', { min: 1, max: 5 }) ?? 2,
    faults: faultsOf(args),
  };
}

/** Six servers and nine processes want more than two cores for 300. */
function rateOf(servers: Plan['servers']): number {
  return servers === 'cluster' ? 100 : 300;
}

function connectionIn(args: Arguments): string | undefined {
  const address = addressIn(args);
  if (address === undefined || !isOfSeveral(address)) return address;
  throw usage(
    "verify breaks the way to one Redis, and can't do that to a cluster or by way of Sentinels: name one server, or --replicated, or --cluster",
  );
}

/** Only when it is asked for: an address in the environment is for the other verbs, and a password may be in it. */
function addressIn(args: Arguments): string | undefined {
  const given = args.text('redis');
  if (given !== 'env') return given === undefined ? undefined : redisUrlOf(args);
  const found = process.env['DUESTREAM_REDIS_URL'] ?? process.env['REDIS_URL'];
  if (!found || !(URL.canParse(found) || isOfSeveral(found))) {
    throw usage(
      '--redis env: neither DUESTREAM_REDIS_URL nor REDIS_URL is set to a URL such as redis://127.0.0.1:6379',
    );
  }
  return found;
}

function variantIn(args: Arguments, connection: string | undefined): Pick<Settings, 'servers' | 'fixed'> {
  const servers = serversIn(args);
  const minReplicas = args.whole('min-replicas', { min: 0, max: 1 });
  const partitions = args.whole('partitions', { min: 1, max: 64 });
  const durability = durabilityIn(args, servers);
  if (servers !== 'one' && connection !== undefined)
    throw usage(`--${servers} starts a Redis of its own: leave out --redis`);
  if (servers !== 'replicated' && minReplicas !== undefined) throw usage('--min-replicas is for --replicated');
  return {
    servers,
    fixed: {
      ...(partitions !== undefined && { partitions }),
      ...(connection !== undefined && { lockNodes: 0 }),
      ...(minReplicas !== undefined && { minReplicas }),
      ...(durability !== undefined && { durability }),
    },
  };
}

function serversIn(args: Arguments): Plan['servers'] {
  const [replicated, cluster] = [args.on('replicated'), args.on('cluster')];
  if (replicated && cluster) throw usage('--replicated and --cluster are two kinds of Redis: name one');
  if (cluster) return 'cluster';
  return replicated ? 'replicated' : 'one';
}

function durabilityIn(args: Arguments, servers: Plan['servers']): Plan['durability'] | undefined {
  const durability = args.oneOf('durability', ['memory', 'replicated']);
  if (durability !== undefined && servers !== 'cluster') throw usage('--durability is for --cluster');
  return durability;
}

function faultsOf(args: Arguments): string[] | undefined {
  const names = args.list('faults');
  if (names?.length === 0) throw usage('--faults names no fault; none means none at all');
  if (names?.length === 1 && names[0] === 'none') return [];
  const unknown = names?.find((name) => !faultNames.includes(name));
  if (unknown !== undefined) throw usage(`unknown fault ${JSON.stringify(unknown)}; see duestream verify --help`);
  return names;
}
