/**
 * Whether a pattern names a local time, written without regard for speed, from the description of the fields and not from
 * any code that is tested with it.
 */
export interface Fields {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
}

type Matcher = (fields: Fields) => boolean;

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export function matcherOf(pattern: string): Matcher {
  const fields = pattern.split(' ');
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] =
    fields.length === 6 ? fields : ['0', ...fields];
  const [seconds, minutes] = [numbersOf(second, [0, 59]), numbersOf(minute, [0, 59])];
  const [hours, inMonths] = [numbersOf(hour, [0, 23]), numbersOf(named(month, months, 1), [1, 12])];
  const isDay = dayMatcher(day);
  const isWeekday = weekdayMatcher(named(weekday, weekdays, 0));
  // Both restricted: either is enough.
  const bothCount = day !== '*' && weekday !== '*';
  return (at) => {
    if (!seconds.has(at.second) || !minutes.has(at.minute) || !hours.has(at.hour) || !inMonths.has(at.month))
      return false;
    return bothCount ? isDay(at) || isWeekday(at) : isDay(at) && isWeekday(at);
  };
}

function named(field: string, names: readonly string[], first: number): string {
  return names.reduce((text, name, at) => text.replaceAll(name, String(at + first)), field);
}

function numbersOf(field: string, [min, max]: readonly [number, number]): Set<number> {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [from, to = from] = range === '*' ? [min, max] : range.split('-').map(Number);
    for (let number = from ?? NaN; number <= (to ?? NaN); number += Number(step)) found.add(number);
  }
  return found;
}

function dayMatcher(field: string): Matcher {
  const parts = field.split(',').map((part): Matcher => {
    if (part === 'L') return (at) => at.day === lengthOf(at);
    if (part === 'LW') return (at) => at.day === lastWorkday(at);
    if (part.endsWith('W')) return (at) => at.day === nearestWorkday(at, Number(part.slice(0, -1)));
    const days = numbersOf(part, [1, 31]);
    return (at) => days.has(at.day);
  });
  return (at) => parts.some((part) => part(at));
}

function weekdayMatcher(field: string): Matcher {
  const parts = field.split(',').map((part): Matcher => {
    const [days = '', nth] = part.split('#');
    const wanted = new Set([...numbersOf(days, [0, 6])].map((day) => day % 7));
    return (at) => {
      if (!wanted.has(weekdayOf(at, at.day))) return false;
      if (nth === undefined) return true;
      return nth === 'L' ? at.day + 7 > lengthOf(at) : Math.ceil(at.day / 7) === Number(nth);
    };
  });
  return (at) => parts.some((part) => part(at));
}

function weekdayOf({ year, month }: Fields, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}

function lengthOf({ year, month }: Fields): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function isWorkday(at: Fields, day: number): boolean {
  return ![0, 6].includes(weekdayOf(at, day));
}

function lastWorkday(at: Fields): number {
  let day = lengthOf(at);
  while (!isWorkday(at, day)) day -= 1;
  return day;
}

/** In the same month. */
function nearestWorkday(at: Fields, day: number): number {
  if (day > lengthOf(at)) return NaN;
  const near = [day, day - 1, day + 1, day - 2, day + 2];
  return near.find((each) => each >= 1 && each <= lengthOf(at) && isWorkday(at, each)) ?? NaN;
}
