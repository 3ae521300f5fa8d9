/** Numbers and names as the page and the plots show them. The same on every machine: no locale has a say. */

/** The systems in the order of the columns: the limit first. */
export const systems = [
  { id: 'bare', name: 'bare loop', colour: '#8a94a0' },
  { id: 'duestream', name: 'Duestream', colour: '#c8385a' },
  { id: 'bullmq', name: 'BullMQ', colour: '#e0a030' },
  { id: 'bee-queue', name: 'bee-queue', colour: '#3b8ea5' },
];

/** What each measure is called on the page. */
export const titles = {
  add: 'Adding',
  drain: 'Draining',
  latency: 'Latency',
  lateness: 'Lateness',
  cost: 'Cost',
  growth: 'Growth',
};

/** Three digits that count, thousands apart: 11,200, 7.04, 0.031. */
export function shown(number) {
  if (number === 0) return '0';
  const rounded = Number(number.toPrecision(3));
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  const [whole, fraction = ''] = rounded.toFixed(Math.min(decimals, 6)).split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const kept = fraction.replace(/0+$/, '');
  return kept === '' ? apart : `${apart}.${kept}`;
}

/** Short, for an axis or a bar: 250k, 1.5M, 0.1. */
export function short(number) {
  const size = Math.abs(number);
  const scale = [
    [1e6, 'M'],
    [1e3, 'k'],
  ].find(([from]) => size >= from);
  if (scale === undefined) return String(Number(number.toPrecision(3)));
  return `${Number((number / scale[0]).toPrecision(3))}${scale[1]}`;
}
