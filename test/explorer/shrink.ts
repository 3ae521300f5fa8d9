import { type Choice, inWords } from './choice.js';
import type { Ground } from './ground.js';
import { repeat, type Run } from './run.js';

/** What a shrinking may take. */
const realMsMax = 60_000;

type Test = (choices: Choice[]) => Promise<boolean>;

/** Leaves out whatever can be left out of a failing run, so that the same rule is broken still. */
export async function shrink(ground: Ground, failing: Run): Promise<Run> {
  const { seed, cameToRest: rests } = failing;
  const endMs = performance.now() + realMsMax;
  let best = failing;
  const failsToo: Test = async (choices) => {
    if (choices.length === best.choices.length || performance.now() > endMs) return false;
    const run = await repeat(ground, { seed, choices, rests });
    if (run.violation?.invariant !== failing.violation?.invariant) return false;
    best = { ...run, choices: choices.slice(0, run.taken) };
    return true;
  };
  await withoutKinds(() => best.choices, failsToo);
  await withoutChunks(() => best.choices, failsToo);
  await withoutKinds(() => best.choices, failsToo);
  return best;
}

/** First all of one kind, and all of one actor: most have no part in it. */
async function withoutKinds(choices: () => Choice[], failsToo: Test): Promise<void> {
  const marksOf = (choice: Choice): string[] => [
    choice.do,
    ...['by', 'of', 'wire', 'id'].flatMap((name) => {
      const value: unknown = (choice as Readonly<Record<string, unknown>>)[name];
      return typeof value === 'string' ? [`${name} ${value}`, value.slice(0, 2)] : [];
    }),
  ];
  for (const mark of new Set(choices().flatMap(marksOf))) {
    await failsToo(choices().filter((choice) => !marksOf(choice).includes(mark)));
  }
}

/** Then ever smaller parts, until no single one can go. */
async function withoutChunks(choices: () => Choice[], failsToo: Test): Promise<void> {
  let size = Math.ceil(choices().length / 2);
  for (let shrunk = true; shrunk || size > 1; size = Math.max(1, Math.floor(size / 2))) {
    shrunk = false;
    for (let from = 0; from < choices().length; ) {
      const rest = choices().filter((_, at) => at < from || at >= from + size);
      if (await failsToo(rest)) shrunk = true;
      else from += size;
    }
  }
}

/** The failure, for people: what was broken, the shortest way there, and how to go it again. */
export function tell(failing: Run, short: Run): string {
  const lines = short.choices.map((choice: Choice, at) => `${String(at + 1).padStart(4)}  ${inWords(choice)}`);
  return [
    String(short.violation?.message),
    `seed ${failing.seed}, after ${failing.choices.length} steps; the shortest way there:`,
    ...lines,
    `again: EXPLORER_SEED=${failing.seed} EXPLORER_STEPS=${failing.choices.length} npx vitest run test/explorer`,
  ].join('\n');
}
