import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { encodePayload } from '../../src/payload.js';

const roomy = { maxBytes: 1_048_576 };

function refusal(value: unknown, limit = roomy): { code: string; message: string; cause?: unknown } {
  try {
    encodePayload(value, limit);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('the payload was taken');
}

describe('comes back as it was given:', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['true', true],
    ['an empty string', ''],
    ['text of all kinds', 'a"\\\n\u0000\u2028é€😀'],
    ['a lone surrogate', 'a\ud800b'],
    ['a number', -1.5e-7],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['the largest number', Number.MAX_VALUE],
    ['an empty array', []],
    ['an empty object', {}],
    ['nulls', { a: null, b: [null] }],
    ['a nest', { items: [{ sku: 'x', tags: [['a'], {}] }], ok: false }],
    ['an odd key', { '': 1, 'a b': 2, '\ud800': 3 }],
    ['an own __proto__', JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
    ['toJSON that is no function', { toJSON: 'x' }],
    ['the same object twice', [roomy, roomy]],
    ['an object of another realm', JSON.parse(JSON.stringify(runInNewContext('({ a: [1] })')))],
  ])('%s', (_, value) => {
    expect(JSON.parse(encodePayload(value, roomy))).toStrictEqual(value);
  });

  test('an object without a prototype, or of another realm, by its properties', () => {
    expect(encodePayload(Object.assign(Object.create(null), { a: 1 }), roomy)).toBe('{"a":1}');
    expect(encodePayload(runInNewContext('({ a: [1] })'), roomy)).toBe('{"a":[1]}');
  });

  test('-0, as 0', () => {
    expect(encodePayload([-0], roomy)).toBe('[0]');
  });

  test('500 levels', () => {
    const text = '['.repeat(500) + ']'.repeat(500);
    expect(encodePayload(JSON.parse(text), roomy)).toBe(text);
  });
});

class Money {
  cents = 5;
}
const Nameless = class {
  cents = 5;
};
Object.defineProperty(Nameless, 'name', { value: '' });
class Hidden {
  toJSON(): string {
    return 'x';
  }
}

describe('is refused with the path to it:', () => {
  test.each<[unknown, string]>([
    [Number.NaN, 'payload is NaN, which JSON turns into null'],
    [{ items: [1, 2, 3, { price: Number.NaN }] }, 'payload.items[3].price is NaN, which JSON turns into null'],
    [[Number.POSITIVE_INFINITY], 'payload[0] is Infinity, which JSON turns into null'],
    [{ a: Number.NEGATIVE_INFINITY }, 'payload.a is -Infinity, which JSON turns into null'],
    [{ a: 5n }, 'payload.a is a BigInt, which JSON does not have: pass a string'],
    [undefined, 'payload is undefined, which JSON does not have: leave it out, or pass null'],
    [{ a: undefined }, 'payload.a is undefined, which JSON does not have: leave it out, or pass null'],
    [[undefined], 'payload[0] is undefined, which JSON does not have: leave it out, or pass null'],
    [Object.assign([1], { 2: 3 }), 'payload[1] is a hole, which JSON turns into null'],
    [() => 1, 'payload is a function, which JSON does not have'],
    [{ a: Symbol('x') }, 'payload.a is a symbol, which JSON does not have'],
    [{ [Symbol('x')]: 1 }, 'payload is an object with symbol keys, which JSON drops'],
    [{ a: new Date(0) }, 'payload.a is a Date, which JSON turns into a string: pass its toISOString()'],
    [new Date(Number.NaN), 'payload is a Date, which JSON turns into a string: pass its toISOString()'],
    [{ a: new Map() }, 'payload.a is a Map, which JSON empties: pass Object.fromEntries() of it'],
    [{ a: new Set() }, 'payload.a is a Set, which JSON empties: pass an array'],
    [/x/, 'payload is a RegExp, which JSON empties: pass its source'],
    [new TypeError('x'), 'payload is an Error, which JSON empties: pass its message'],
    [{ a: Promise.resolve(1) }, 'payload.a is a Promise: await it first'],
    [Buffer.from('x'), 'payload is binary: pass a string, such as base64'],
    [new Uint8Array(2), 'payload is binary: pass a string, such as base64'],
    [new ArrayBuffer(2), 'payload is binary: pass a string, such as base64'],
    [new Money(), 'payload is an instance of Money, which JSON takes apart: pass a plain object or a string'],
    [new URL('http://x'), 'payload is an instance of URL, which JSON takes apart: pass a plain object or a string'],
    [new Hidden(), 'payload is an instance of Hidden, which JSON takes apart: pass a plain object or a string'],
    [Object(5), 'payload is an instance of Number, which JSON takes apart: pass a plain object or a string'],
    [
      Object.create({ a: 1 }),
      'payload is an instance of Object, which JSON takes apart: pass a plain object or a string',
    ],
    [new Nameless(), 'payload is an instance of a class, which JSON takes apart: pass a plain object or a string'],
    [
      Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'x' }),
      'payload is an object with a toJSON method: pass what it returns',
    ],
    [Object.assign([1], { toJSON: () => 'x' }), 'payload is an array with a toJSON method: pass what it returns'],
    [{ toJSON: () => 'x' }, 'payload.toJSON is a function, which JSON does not have'],
    [{ 'a b': { '"': Number.NaN } }, 'payload["a b"]["\\""] is NaN, which JSON turns into null'],
    [{ ['k'.repeat(99)]: Number.NaN }, `payload["${'k'.repeat(40)}…"] is NaN, which JSON turns into null`],
  ])('%o', (value, message) => {
    expect(refusal(value)).toMatchObject({ code: 'ERR_INVALID_PAYLOAD', message });
  });

  test('nesting deeper than 500 levels, with a short path', () => {
    const { message } = refusal(JSON.parse('['.repeat(501) + ']'.repeat(501)));
    expect(message).toMatch(/^payload(\[0\])+.*….*\[0\] is nested deeper than 500 levels$/);
    expect(message.length).toBeLessThan(250);
  });

  test('nesting so deep that a naive walk would overflow the stack', () => {
    let nest: unknown[] = [];
    for (let level = 0; level < 100_000; level += 1) nest = [nest];
    expect(refusal(nest).message).toContain('nested deeper than 500 levels');
  });

  test('a cycle, naming both ends', () => {
    const list: Record<string, unknown> = { name: 'x' };
    list['next'] = { items: [1, { list }] };
    expect(refusal(list).message).toBe(
      'payload.next.items[1].list is payload again: a cycle, which JSON does not have',
    );
    expect(refusal({ a: [list] }).message).toBe(
      'payload.a[0].next.items[1].list is payload.a[0] again: a cycle, which JSON does not have',
    );
    const self: unknown[] = [];
    self.push(self);
    expect(refusal(self).message).toBe('payload[0] is payload again: a cycle, which JSON does not have');
  });

  test('a property that throws when it is read, with its error as the cause', () => {
    const cause = new Error('secret');
    const refused = refusal({
      get a(): never {
        throw cause;
      },
    });
    expect(refused).toMatchObject({ code: 'ERR_INVALID_PAYLOAD', cause });
    expect(refused.message).toBe('payload has a property that throws when it is read');
  });
});

test('an error message never holds a value of the payload', () => {
  const secret = 'hunter2';
  for (const bad of [
    Number.NaN,
    undefined,
    5n,
    new Date(),
    new Map([[secret, secret]]),
    Symbol(secret),
    new Error(secret),
  ]) {
    expect(refusal({ password: secret, list: [secret, bad] }).message).not.toContain(secret);
  }
  expect(refusal({ password: secret }, { maxBytes: 5 }).message).not.toContain(secret);
});

describe('the limit', () => {
  test.each([
    ['ascii', 'abcdef'],
    ['two bytes', 'éé'],
    ['three bytes', '€€'],
    ['many of three bytes', '€'.repeat(20)],
    ['four bytes', '😀'],
    ['escapes', '\u0000\n'],
    ['an object', { a: 'é', b: [1, 2] }],
  ])('counts UTF-8 bytes of %s', (_, value) => {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    expect(encodePayload(value, { maxBytes: bytes })).toBe(JSON.stringify(value));
    expect(refusal(value, { maxBytes: bytes - 1 })).toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      message: expect.stringMatching(
        new RegExp(`^payload must be at most ${bytes - 1} bytes of JSON, got (${bytes}|more)$`),
      ),
    });
  });

  test('tells the size where it was counted', () => {
    expect(refusal('€€', { maxBytes: 7 }).message).toBe('payload must be at most 7 bytes of JSON, got 8');
  });

  test('stops half-way through an object whose JSON would have 2^60 leaves', () => {
    let shared: unknown = 1;
    for (let level = 0; level < 60; level += 1) shared = [shared, shared];
    expect(refusal(shared).message).toBe('payload must be at most 1048576 bytes of JSON, got more');
  });
});
