import { crc16 } from '../../partition-of.js';

export const slotCount = 16_384;

/** The cluster slot of a key: by what stands between its first brace and the next closing one, if anything does. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open);
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % slotCount;
}
