import { expect, test } from 'vitest';
import { localTime } from '../../src/cli/local-time.js';
import { localText } from '../../src/schedule/preview-text.js';

test.each([
  ['2027-03-28T00:59:59Z', 'Europe/Berlin', '2027-03-28T01:59:59+01:00'],
  ['2027-03-28T01:00:00Z', 'Europe/Berlin', '2027-03-28T03:00:00+02:00'],
  ['2027-07-01T00:00:00Z', 'UTC', '2027-07-01T00:00:00+00:00'],
  ['2027-07-01T00:00:00Z', 'America/St_Johns', '2027-06-30T21:30:00-02:30'],
  ['2027-07-01T00:00:00Z', 'Asia/Kathmandu', '2027-07-01T05:45:00+05:45'],
])('%s in %s is %s, as in a preview', (instant, zone, local) => {
  expect(localTime(Date.parse(instant), zone)).toBe(local);
  expect(localText(zone, Date.parse(instant))).toBe(local);
});
