/** What happens when, in ms from the first task. The whole takes `endMs`, and the last task is due shortly before. */
export interface Plan {
  readonly tasks: number;
  /** Tasks are added until then, at an even pace. */
  readonly produceMs: number;
  /** The longest delay of a delayed task. */
  readonly delayMaxMs: number;
  /** No task is due after this. */
  readonly lastDueMs: number;
  readonly faultAtMs: number;
  readonly killAtMs: number;
  readonly endMs: number;
  /** When work that does not come to an end is given up. */
  readonly giveUpMs: number;
  readonly lockTtlMs: number;
}

/** Shorter than the usual 5 s, so that the take-over fits on the stage; the promise is this and a second. */
const lockTtlMs = 2_000;
const patienceMs = 15_000;

export function planOf({ seconds, tasks }: { seconds: number; tasks: number }): Plan {
  const endMs = seconds * 1_000;
  return {
    tasks,
    produceMs: endMs * 0.55,
    delayMaxMs: endMs * 0.5,
    lastDueMs: endMs * 0.95,
    faultAtMs: endMs * 0.3,
    killAtMs: endMs * 0.5,
    endMs,
    giveUpMs: endMs + patienceMs,
    lockTtlMs,
  };
}

/** What a task carries. */
export interface Work {
  readonly workMs: number;
  /** Its first attempt fails, on purpose. */
  readonly failsOnce: boolean;
}

export interface PlannedTask {
  readonly id: string;
  readonly work: Work;
  /** Undefined: due now. */
  readonly delayMs: number | undefined;
}

/** Multiples of it, without their whole part, are spread evenly and look like dice: the same play every time. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** Every second task is delayed, every hundredth fails once. `elapsedMs`: when it is added. */
export function plannedTask(n: number, elapsedMs: number, plan: Plan): PlannedTask {
  const spread = (n * goldenRatio) % 1;
  const delayMaxMs = Math.max(0, Math.min(plan.delayMaxMs, plan.lastDueMs - elapsedMs));
  return {
    id: `task-${n}`,
    work: { workMs: 1 + Math.floor(spread * 4), failsOnce: n % 100 === 50 },
    delayMs: n % 2 === 0 ? spread * delayMaxMs : undefined,
  };
}

/** How many tasks are to be added by then. */
export function addedBy(elapsedMs: number, { tasks, produceMs }: Plan): number {
  return Math.min(tasks, Math.floor((tasks * elapsedMs) / produceMs));
}
