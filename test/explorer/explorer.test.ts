/**
 * The rules of the design's section 3, held against a walk that nobody would think of: real stations of `src/` and the
 * real scripts on a real Redis, whose every call a seeded scheduler lets arrive, or not, or later, or twice; with crashes,
 * frozen processes, clock jumps, restarts, failovers that lose a suffix, and an operator's hand. After each call a ledger
 * that knows nothing of the scripts says what Redis must hold, and at the end everything must come to rest.
 *
 * A failure prints its seed and the shortest way there; it becomes a test by name. `EXPLORER_SEED` begins with that one,
 * `EXPLORER_SEEDS` takes so many, `EXPLORER_STEPS` makes each so long, `EXPLORER_TELL=1` says how fast it went.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Ground } from './ground.js';
import { explore, repeat } from './run.js';
import { shrink, tell } from './shrink.js';

const { EXPLORER_SEED, EXPLORER_SEEDS, EXPLORER_STEPS, EXPLORER_TELL } = process.env;
const isUsual = EXPLORER_SEED === undefined && EXPLORER_SEEDS === undefined && EXPLORER_STEPS === undefined;
const firstSeed = Number(EXPLORER_SEED ?? 1);
const seeds = Number(EXPLORER_SEEDS ?? (EXPLORER_SEED === undefined ? 40 : 1));
const steps = Number(EXPLORER_STEPS ?? 1_500);
/** Walks that once found something, beside the first ones. */
const telling = isUsual ? [84, 117] : [];

let ground: Ground;
const met = new Set<string>();

beforeAll(async () => {
  ground = await Ground.open();
});

afterAll(async () => {
  await ground.close();
});

test.each([...Array.from({ length: seeds }, (_, at) => firstSeed + at), ...telling])(
  'whatever goes wrong, and in whatever order, every promise is kept: seed %i',
  { timeout: 600_000 },
  async (seed) => {
    const startMs = performance.now();
    const run = await explore(ground, seed, steps);
    for (const what of run.met) met.add(what);
    if (EXPLORER_TELL) {
      const seconds = (performance.now() - startMs) / 1000;
      console.log(
        `seed ${seed}: ${run.choices.length} steps, ${run.ran} commands in ${seconds.toFixed(2)} s`,
        run.violation?.message ?? '',
      );
    }
    if (run.violation === undefined) return;
    // The same steps do the same, but for what Redis' own clock adds where a machine stands still in between.
    const again = await repeat(ground, { seed, choices: run.choices, rests: run.cameToRest });
    if (again.violation) expect.fail(tell(run, await shrink(ground, again)));
    expect.fail(
      `${run.violation.message}\nseed ${seed}, after ${run.choices.length} steps, and not again by the same steps`,
    );
  },
);

test('a walk is the same after any other', { timeout: 60_000 }, async () => {
  const ran: number[] = [];
  for (const seed of [1, 2, 3, 3, 2, 1]) ran.push((await explore(ground, seed, 300)).ran);
  expect(ran.slice(3).toReversed()).toEqual(ran.slice(0, 3));
});

/** What these walks must have gone by, for their silence to say anything. */
const sometimes = [
  'a beat told of the cancel',
  'a beat was refused',
  'a group with deliveries was destroyed',
  'a lease was lost',
  'a settle told of the cancel',
  'a settle was refused',
  'a promote was torn',
  'a script was torn',
  'a stale entry was met',
  'a stream id was issued again',
  'an ended id was added again',
  'answer lost: add',
  'answer lost: cancel',
  'answer lost: next',
  'answer lost: promote',
  'answer lost: recover',
  'bury',
  'cancelled while active',
  'cancelled while ready',
  'cancelled while scheduled',
  'complete',
  'crash of a leader',
  'crash of a producer',
  'crash of a worker',
  'expired when opened',
  'expired when promoted',
  'expired while waiting',
  'failed over',
  'handed back',
  'handed back, opened: read',
  'late call refused',
  'outcome unknown',
  'promoted',
  'promoted without a leader',
  'put back in a paused queue',
  'reaped',
  'recovered',
  'recovery on hold',
  'repeated: add',
  'repeated: cancel',
  'repeated: next',
  'replayed',
  'rescheduled while ready',
  'restarted',
  'retry',
  'run now',
  'stale term refused',
  'stray due member dropped',
  'a task at work was forgotten',
  'a settle ended what was forgotten',
  'swept',
  'the clock jumped back',
  'the clock jumped forward',
];

test('these walks went by everything that can go wrong', () => {
  const missing = sometimes.filter((what) => !met.has(what));
  if (isUsual) expect(missing).toEqual([]);
  else expect(missing).not.toEqual(sometimes);
});
