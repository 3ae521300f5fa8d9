import { describe, expect, test } from 'vitest';
import {
  checkQueueName,
  checkText,
  decodeRecord,
  decodeRun,
  encodeRecord,
  encodeRunAfter,
  withPayload,
} from '../../src/task.js';

describe('a record', () => {
  test('leaves out what is the default', () => {
    expect(encodeRecord('mail', 'null', {})).toBe('{"n":"mail"}');
    expect(encodeRecord('mail', '[1]', {})).toBe('{"n":"mail","p":[1]}');
  });

  test('comes back as it was', () => {
    const options = { maxAttempts: 3, timeoutMs: 50, backoff: { type: 'fixed', delayMs: 1, maxMs: 1 } } as const;
    const text = encodeRecord('a "quoted" näme', '{"x":[]}', options);
    const record = { name: 'a "quoted" näme', payload: { x: [] }, createdAtMs: null, ...options };
    expect(decodeRecord(text)).toEqual({ kind: 'record', record });
  });

  test.each(['', 'x', 'null', '7', '"n"', '[]', '{}', '{"n":""}', '{"n":1}', '{"n":"a"'])('%s is bad', (text) => {
    expect(decodeRecord(text)).toMatchObject({ kind: 'bad' });
  });

  test('of a newer version is told apart, whatever else it holds', () => {
    expect(decodeRecord('{"v":2}')).toEqual({ kind: 'newer', version: 2 });
    expect(decodeRecord('{"v":1,"n":"a"}')).toMatchObject({ kind: 'record' });
  });

  const senseless = [
    '"m":0',
    '"m":1.5',
    '"m":"3"',
    '"t":-1',
    '"t":null',
    '"b":["linear",1,2]',
    '"b":["fixed",-1,1]',
    '"b":["exponential",1e300,1e300]',
    '"b":7',
  ];
  test.each(senseless)('with the senseless option %s is run without it', (option) => {
    const record = { name: 'a', payload: null, createdAtMs: null };
    expect(decodeRecord(`{"n":"a",${option}}`)).toEqual({ kind: 'record', record });
  });
});

describe('a record with another payload', () => {
  test('keeps all else, in the order the scripts rely on', () => {
    expect(withPayload('{"c":5,"n":"a","p":1,"m":2,"z":{"k":[]}}', '"new"')).toBe(
      '{"c":5,"n":"a","p":"new","m":2,"z":{"k":[]}}',
    );
    expect(withPayload('{"c":5,"n":"a"}', '1')).toBe('{"c":5,"n":"a","p":1}');
    expect(withPayload('{"n":"a","p":1}', 'null')).toBe('{"n":"a"}');
  });

  test.each(['garbage', '[]', '{"v":2,"n":"a"}'])('is refused of %s', (text) => {
    expect(() => withPayload(text, '1')).toThrow(expect.objectContaining({ code: 'ERR_REDIS_REPLY' }));
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
