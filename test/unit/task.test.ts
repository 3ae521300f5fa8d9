import { describe, expect, test } from 'vitest';
import {
  checkQueueName,
  checkText,
  decodeRecord,
  decodeRun,
  encodeRecord,
  encodeRunAfter,
  keyIn,
  withoutCreation,
  withPayload,
} from '../../src/task.js';

const plain = { name: 'a', payload: null, createdAtMs: null };

describe('a record', () => {
  test('leaves out what is empty at its end', () => {
    expect(encodeRecord('mail', 'null', {})).toBe('["mail"]');
    expect(encodeRecord('mail', '[1]', {})).toBe('["mail",[1]]');
    expect(encodeRecord('mail', 'null', { maxAttempts: 3 })).toBe('["mail",null,{"m":3}]');
    expect(encodeRecord('mail', '{}', { key: 'a"b', timeoutMs: 5 })).toBe(String.raw`["mail",{},{"t":5,"k":"a\"b"}]`);
  });

  test('comes back as it was', () => {
    const backoff = { type: 'fixed', delayMs: 1, maxMs: 1 } as const;
    const options = { maxAttempts: 3, timeoutMs: 50, backoff, key: 'a "key"' };
    const text = encodeRecord('a "quoted" näme\\', '{"x":[]}', options);
    const record = { name: 'a "quoted" näme\\', payload: { x: [] }, createdAtMs: null, ...options };
    expect(decodeRecord(text)).toEqual({ kind: 'record', record });
    expect(decodeRecord(`[7,${text.slice(1)}`)).toEqual({ kind: 'record', record: { ...record, createdAtMs: 7 } });
  });

  test.each([
    ['["a"]', {}],
    ['[5,"a"]', { createdAtMs: 5 }],
    ['[0,"a",null]', { createdAtMs: 0 }],
    ['["a",[["b",1,{"v":99}],2]]', { payload: [['b', 1, { v: 99 }], 2] }],
    ['["a",{"v":99,"k":"no"}]', { payload: { v: 99, k: 'no' } }],
    ['[5,"a",6]', { createdAtMs: 5, payload: 6 }],
    ['["a",false,{}]', { payload: false }],
    ['["a",1,{"m":2,"z":[]},{"v":99},"more"]', { payload: 1, maxAttempts: 2 }],
    [String.raw`[5,"\u0061",""]`, { createdAtMs: 5, payload: '' }],
  ])('%s is read', (text, read) => {
    expect(decodeRecord(text)).toEqual({ kind: 'record', record: { ...plain, ...read } });
  });

  test.each([
    ['', 'not JSON'],
    ['x', 'not JSON'],
    ['["a"', 'not JSON'],
    ['null', 'not an array'],
    ['7', 'not an array'],
    ['"a"', 'not an array'],
    ['{"0":"a"}', 'not an array'],
    ['[]', 'no name'],
    ['[1]', 'no name'],
    ['[1,2]', 'no name'],
    ['[1,2,"a"]', 'no name'],
    ['[1.5,"a"]', 'no name'],
    ['[1e400,"a"]', 'no name'],
    ['[null,"a"]', 'no name'],
    ['[["a"]]', 'no name'],
    ['[""]', 'no name'],
    ['[1,""]', 'no name'],
  ])('%s is bad', (text, reason) => {
    expect(decodeRecord(text)).toEqual({ kind: 'bad', reason });
  });

  test.each(['[1,"n",null,{"v":99}]', '["n",1,{"v":99},{"v":1}]', '[1,2,3,{"v":99}]', '[{},[],{"v":99}]'])(
    '%s is of a newer version, whatever else it holds',
    (text) => {
      expect(decodeRecord(text)).toEqual({ kind: 'newer', version: 99 });
    },
  );

  test('of this version may say so', () => {
    expect(decodeRecord('["a",null,{"v":1}]')).toEqual({ kind: 'record', record: plain });
  });

  const senseless = [
    '{"m":0}',
    '{"m":1.5}',
    '{"m":"3"}',
    '{"t":-1}',
    '{"t":null}',
    '{"b":["linear",1,2]}',
    '{"b":["fixed",-1,1]}',
    '{"b":["exponential",1e300,1e300]}',
    '{"b":7}',
    '{"k":7}',
    '{"v":"99"}',
    '2',
    'null',
    '"b"',
    '["m",3]',
  ];
  test.each(senseless)('with the senseless options %s is run without them', (options) => {
    expect(decodeRecord(`["a",null,${options}]`)).toEqual({ kind: 'record', record: plain });
  });
});

describe('a record with another payload', () => {
  test.each([
    ['[5,"a",1,{"m":2,"z":{"k":[]}}]', '"new"', '[5,"a","new",{"m":2,"z":{"k":[]}}]'],
    ['[5,"a"]', '1', '[5,"a",1]'],
    ['[5,"a",[1]]', '[[],{}]', '[5,"a",[[],{}]]'],
    ['["a",1]', 'null', '["a"]'],
    ['["a",1,{"m":2}]', 'null', '["a",null,{"m":2}]'],
    ['["a",1,2]', '3', '["a",3,2]'],
    ['[5,"a",1,{"m":2},{"z":[]},7,null]', '{}', '[5,"a",{},{"m":2},{"z":[]},7,null]'],
    [String.raw`[5,"\"a\"",1,null,"z"]`, 'null', String.raw`[5,"\"a\"",null,null,"z"]`],
  ])('%s, with %s, keeps all else', (text, payload, expected) => {
    expect(withPayload(text, payload)).toBe(expected);
  });

  test.each(['garbage', '[]', '["a",null,{"v":2}]'])('is refused of %s', (text) => {
    expect(() => withPayload(text, '1')).toThrow(expect.objectContaining({ code: 'ERR_REDIS_REPLY' }));
  });
});

describe('of a record by itself', () => {
  test.each([
    ['["a",null,{"k":"red"}]', 'red'],
    ['[5,"a",{"k":"no"},{"m":1,"k":"red"},{"k":"no"}]', 'red'],
    ['[5,7,1,{"v":99,"k":"red"}]', 'red'],
    ['["a",{"k":"no"}]', undefined],
    ['["a",1,{"k":7}]', undefined],
    ['["a",1,null]', undefined],
    ['{"2":{"k":"no"}}', undefined],
    ['null', undefined],
    ['garbage', undefined],
  ])('%s the key is %s', (text, key) => {
    expect(keyIn(text)).toBe(key);
  });

  test.each([
    ['[1764450000000,"a",[5,"b"]]', '["a",[5,"b"]]'],
    ['["a",[5,"b"]]', '["a",[5,"b"]]'],
    ['[5]', '[5]'],
  ])('the time of creation in %s is taken away', (text, expected) => {
    expect(withoutCreation(text)).toBe(expected);
  });
});

describe('a run', () => {
  test('counts the attempt that comes, and keeps the last five errors', () => {
    let text = '';
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      const run = decodeRun(text);
      expect(run.attempt).toBe(attempt);
      text = encodeRunAfter(run, { attempt, at: attempt * 10, message: `no ${attempt}` });
    }
    expect(decodeRun(text)).toMatchObject({
      attempt: 8,
      errors: [{ attempt: 3, at: 30, message: 'no 3' }, {}, {}, {}, {}],
    });
  });

  test.each([null, '', 'x', '{}', '[]', 'null', '{"a":"2","e":[]}', '{"a":0,"e":[]}', '{"a":2,"e":[null]}', '{"a":2}'])(
    '%s is a first one',
    (text) => {
      expect(decodeRun(text)).toEqual({ attempt: 1, errors: [], lost: 0 });
    },
  );
});

describe('text', () => {
  test.each(['a', 'ä'.repeat(5), '0123456789', '😀'])('%s is taken', (text) => {
    expect(checkText(text, 'id', 10)).toBe(text);
  });

  test.each([
    ['', /empty/],
    ['ä'.repeat(6), /12$/],
    ['a\u0007', /control/],
    ['\u009f', /control/],
    ['\udc00', /Unicode/],
    [5, /string/],
    [null, /string/],
  ])('%j is refused', (text, says) => {
    expect(() => checkText(text, 'name', 10)).toThrow(says);
  });

  test.each(['mail', 'Mail-2:x/y', 'ä'])('%s is a name of a queue', (name) => {
    expect(checkQueueName(name)).toBe(name);
  });

  test.each(['', 'a b', 'a{', '}', 'a\n', 'x'.repeat(129), 7, undefined])('%j is no name of a queue', (name) => {
    expect(() => checkQueueName(name)).toThrow(/queue name/);
  });
});
