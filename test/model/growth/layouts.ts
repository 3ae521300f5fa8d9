/** Layouts as the product reads them, and what follows from one. A key is a whole number, its own hash. */
import { isAfter as isAfterText, layoutOf, type Shape, shapeOf } from '../../../src/layout.js';

export { layoutOf };

const shapes = new Map<string, Shape>();
const orders = new Map<string, boolean>();

export function shape(layout: string): Shape {
  const known = shapes.get(layout) ?? shapeOf(layout);
  if (known === undefined) throw new Error(`“${layout}” is no layout`);
  shapes.set(layout, known);
  return known;
}

export function isAfter(layout: string, other: string): boolean {
  const both = `${layout} ${other}`;
  const known = orders.get(both) ?? isAfterText(layout, other);
  orders.set(both, known);
  return known;
}

export const isGrowing = (layout: string): boolean => layout.includes('<');

/** Where a key belongs, and then where else it may lie, the newest place first. */
export function placesOf(layout: string, key: number): [belongs: number, ...former: number[]] {
  const { partitions, former } = shape(layout);
  const places = new Set([partitions, ...former].map((count) => key % count));
  return [...places] as [number, ...number[]];
}

/** Wherever it may have belonged since the queue was made: the first partition is always among them. */
export function everyPlaceOf(layout: string, key: number): number[] {
  const { partitions } = shape(layout);
  const counts = Array.from({ length: partitions }, (_, nth) => partitions - nth);
  return [...new Set(counts.filter((count) => partitions % count === 0).map((count) => key % count))];
}

/** A partition that came with the growths this layout has not forgotten. */
export function isNewIn(layout: string, index: number): boolean {
  const { partitions, former } = shape(layout);
  return index >= Math.min(partitions, ...former);
}
