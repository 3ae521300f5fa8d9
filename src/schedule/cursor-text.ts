import type { Backfill, Cursor, PassedWhy, Range } from './cursor.js';

type Wire = {
  v: number;
  c: number;
  n: number | null;
  k: number;
  f?: readonly number[];
  m?: readonly (readonly [number, number, number, PassedWhy])[];
  b?: readonly number[];
  s?: number;
  u?: number;
  p?: readonly [number, string];
  r?: number;
  x?: number;
  j?: number;
  l?: Backfill;
  e?: readonly [fromMs: number, nextMs: number, toMs: number, count: number];
  g?: readonly [number, string];
  d?: readonly Range[];
};

/** Short keys, what says nothing left out: there may be a hundred thousand of them. */
export function encodeCursor(cursor: Cursor): string {
  const { fired, passed, waiting, waitingSinceMs, caughtUp, pause, resumedMs, failures, judgedMs } = cursor;
  const { backfill, lastBackfill: last, moving, filled } = cursor;
  const wire: Wire = {
    v: cursor.version,
    c: cursor.createdMs,
    n: cursor.nextMs,
    k: cursor.count,
    ...(fired.length > 0 && { f: fired }),
    ...(passed.length > 0 && { m: passed.map((one) => [one.fromMs, one.toMs, one.count, one.why] as const) }),
    ...(waiting.length > 0 && { b: waiting }),
    ...(waitingSinceMs !== null && { s: waitingSinceMs }),
    ...(caughtUp > 0 && { u: caughtUp }),
    ...(pause !== null && { p: [pause.sinceMs, pause.note] as const }),
    ...(resumedMs !== null && { r: resumedMs }),
    ...(failures > 0 && { x: failures }),
    ...(judgedMs !== null && { j: judgedMs }),
    ...(backfill !== null && { l: backfill }),
    ...(last !== null && { e: [last.fromMs, last.nextMs, last.toMs, last.count] as const }),
    ...(moving !== null && { g: [moving.to, moving.id] as const }),
    ...(filled.length > 0 && { d: filled }),
  };
  return JSON.stringify(wire);
}

/** Undefined: that is none that this version can read. Never throws. */
export function decodeCursor(text: string): Cursor | undefined {
  try {
    const wire = JSON.parse(text) as Wire;
    return isWire(wire) ? cursorOf(wire) : undefined;
  } catch {
    return undefined;
  }
}

/** Whatever may stand there was written by somebody: what is not as it should be must not get into a plan. */
function isWire({ v, c, n, k, f = [], m = [], b = [], p, l, e, g, d = [], ...numbers }: Wire): boolean {
  const isWell = [
    [c, k, ...Object.values(numbers), ...f, ...b, ...m.flatMap(([from, to, count]) => [from, to, count])].every(isTime),
    Number.isSafeInteger(v),
    n === null || isTime(n),
    p === undefined || (isTime(p[0]) && typeof p[1] === 'string'),
    l === undefined || (typeof l.again === 'boolean' && isBackfill(l)),
    e === undefined || e.every(isTime),
    g === undefined || (isTime(g[0]) && typeof g[1] === 'string'),
    d.every((range) => range.length === 2 && range.every(isTime)),
  ];
  return isWell.every(Boolean);
}

function isBackfill({ fromMs, nextMs, toMs, perSecond, lookMs, count }: Backfill): boolean {
  return [fromMs, nextMs, toMs, perSecond, lookMs, count].every(isTime);
}

/** Or a number; beyond these a Date has no time. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Math.abs(value as number) <= 8.64e15;
}

function cursorOf({ v, c, n, k, f = [], m = [], b = [], p, e, g, ...rare }: Wire): Cursor {
  return {
    version: v,
    createdMs: c,
    nextMs: n,
    count: k,
    fired: f,
    passed: m.map(([fromMs, toMs, count, why]) => ({ fromMs, toMs, count, why })),
    waiting: b,
    waitingSinceMs: rare.s ?? null,
    caughtUp: rare.u ?? 0,
    pause: p === undefined ? null : { sinceMs: p[0], note: p[1] },
    resumedMs: rare.r ?? null,
    failures: rare.x ?? 0,
    judgedMs: rare.j ?? null,
    backfill: rare.l ?? null,
    lastBackfill: e === undefined ? null : { fromMs: e[0], nextMs: e[1], toMs: e[2], count: e[3] },
    moving: g === undefined ? null : { to: g[0], id: g[1] },
    filled: rare.d ?? [],
  };
}
