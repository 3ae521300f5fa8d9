/** What every task carries: its number, and so much filling that its JSON has the wanted size. */

export const payloadBytes = 100;

export function payloadOf(index, bytes = payloadBytes) {
  const bare = JSON.stringify({ i: index, fill: '' }).length;
  return { i: index, fill: 'x'.repeat(Math.max(0, bytes - bare)) };
}

/** @returns payloads of the numbers from `from` to before `from + count` */
export function payloadsOf({ from = 0, count, bytes = payloadBytes }) {
  return Array.from({ length: count }, (_, at) => payloadOf(from + at, bytes));
}
