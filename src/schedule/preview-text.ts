import { cronOf, nextMatch } from './cron.js';
import { exclusionOf } from './exclusion.js';
import { nextLeft } from './local-times.js';
import type { Timing } from './rule.js';
import { zoneOf } from './zone.js';

/** The local time with its offset from UTC: `2027-03-28T03:00:00+02:00`. */
export function localText(tz: string, atMs: number): string {
  const { offsetMs } = zoneOf(tz).segmentAt(atMs);
  return `${clockText(atMs + offsetMs)}${offsetText(offsetMs)}`;
}

function clockText(localMs: number): string {
  return new Date(localMs)
    .toISOString()
    .slice(0, -1)
    .replace(/\.000$/, '');
}

/** Whole minutes, but for the mean times before there were zones. */
function offsetText(offsetMs: number): string {
  const clock = new Date(Math.abs(offsetMs)).toISOString().slice(11, 19);
  return `${offsetMs < 0 ? '-' : '+'}${clock.replace(/:00$/, '')}`;
}

/** What a change of the clocks did to that time of a rule with a pattern. */
export function changeNotes(
  { rule, exclude }: Timing,
  { atMs, skipped }: { atMs: number; skipped: boolean },
): string[] {
  if (rule.kind !== 'cron') return [];
  const { fromMs, toMs, offsetMs, offsetBeforeMs, offsetAfterMs } = zoneOf(rule.tz).segmentAt(atMs);
  const end = skipped ? ', skipped' : '';
  if (offsetBeforeMs > offsetMs && atMs + offsetMs < fromMs + offsetBeforeMs)
    return [`second of a repeated time${end}`];
  if (offsetAfterMs < offsetMs && atMs + offsetMs >= toMs + offsetAfterMs) return [`first of a repeated time${end}`];
  if (atMs !== fromMs || offsetBeforeMs >= offsetMs) return [];
  const cron = cronOf(rule.cron);
  const leaves = exclusionOf(exclude, cron.pattern);
  const after = (localMs: number): number | null => {
    const nextMs = nextLeft(cron, leaves, localMs);
    return nextMs !== null && nextMs < fromMs + offsetMs ? nextMs : null;
  };
  const firstMs = after(fromMs + offsetBeforeMs - 1);
  if (firstMs === null) return [];
  let more = 0;
  for (let ms = after(firstMs); ms !== null && more < missingMax; ms = after(ms)) more += 1;
  const isItsOwn = nextMatch(cron, fromMs + offsetMs - 1) === fromMs + offsetMs;
  const missing = { first: clockText(firstMs).replace('T', ' '), more };
  return [gapNote(missing, { skips: rule.gap === 'skip', skipped, isItsOwn })];
}

/** A gap of an hour has as many seconds. */
const missingMax = 3_600;

/** At the end of a gap with times of the rule in it; `isItsOwn`: that end is one of its times, too. */
function gapNote(
  { first, more }: { first: string; more: number },
  { skips, skipped, isItsOwn }: Record<'skips' | 'skipped' | 'isItsOwn', boolean>,
): string {
  const missing = more === 0 ? first : `${first} and ${more} more`;
  const [does, is] = more === 0 ? ['does', 'is'] : ['do', 'are'];
  if (skipped) return `${missing} ${does} not exist, skipped`;
  if (skips) return `${missing}, before it, ${does} not exist and ${is} skipped`;
  return isItsOwn ? `stands for ${missing} too, which ${does} not exist` : `${missing} ${does} not exist, shifted`;
}
