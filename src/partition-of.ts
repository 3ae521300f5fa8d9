import { assert } from './errors.js';

/**
 * Which partition a key belongs to. Part of the wire format: producers in other languages compute the same, so it is
 * the checksum every Redis Cluster client already has: CRC16/XMODEM (polynomial 0x1021, start 0, nothing reflected) of
 * the key's UTF-8 bytes, modulo the number of partitions. Braces in the key mean nothing here.
 */
export function partitionOf(key: string, partitions: number): number {
  assert(
    Number.isInteger(partitions) && partitions >= 1,
    `partitions must be a whole number from 1, got ${partitions}`,
  );
  return partitions === 1 ? 0 : crc16(key) % partitions;
}

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/**
 * CRC16/XMODEM of the text's UTF-8 bytes; a lone surrogate counts as U+FFFD, as it does in a Redis command. `start` is the
 * checksum of what stands before it.
 */
export function crc16(text: string, start = 0): number {
  let crc = start;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return Buffer.from(text).reduce(step, start); // only then are units and bytes not the same
    crc = step(crc, unit);
  }
  return crc;
}

function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] as number);
}
