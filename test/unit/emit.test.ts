import { EventEmitter, errorMonitor } from 'node:events';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { emitSafely } from '../../src/emit.js';
import { messageOf } from '../../src/errors.js';

let warnings: string[];
beforeEach(() => {
  warnings = [];
  const add = (warning: Error): number => warnings.push(warning.message);
  process.on('warning', add);
  onTestFinished(() => void process.off('warning', add));
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const badGetter = (): Error =>
  Object.defineProperty(new Error('a'), 'message', {
    get: () => {
      throw new Error('b');
    },
  });
const unspeakable: [string, () => unknown][] = [
  ['an object without a prototype', () => Object.create(null) as unknown],
  ['a revoked proxy', revoked],
  ['an error whose message throws', badGetter],
  ['an error whose message has no words', () => Object.assign(new Error('a'), { message: Object.create(null) })],
];

test.each(unspeakable)('%s has a message', (_what, thrown) => {
  expect(messageOf(thrown())).toBe('something was thrown that has no words');
});

test.each([...unspeakable, ['an error', () => new Error('no')] as const])(
  'a listener that throws %s, at once or later, is a warning, and the others hear the event',
  async (_what, thrown) => {
    const emitter = new EventEmitter();
    const heard: unknown[] = [];
    emitter.on('event', () => {
      throw thrown();
    });
    emitter.on('event', (): unknown => Promise.reject(thrown()));
    emitter.on('event', (...args) => heard.push(args));
    emitSafely(emitter, 'worker', ['event', 1, 2]);
    expect(heard).toEqual([[1, 2]]);
    await turn(); // a rejection that nobody handles would fail the run here
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain('duestream worker: a listener of "event" threw: ');
  },
);

test('a listener for once hears once, and as the emitter', () => {
  const emitter = new EventEmitter();
  const heard: unknown[] = [];
  emitter.once('event', function (this: unknown) {
    heard.push(this);
  });
  emitSafely(emitter, 'worker', ['event']);
  emitSafely(emitter, 'worker', ['event']);
  expect(heard).toEqual([emitter]);
});

test('an error nobody listens to is a warning; its listeners and monitors hear it', async () => {
  const emitter = new EventEmitter();
  const heard: string[] = [];
  emitter.on(errorMonitor, () => heard.push('monitor'));
  emitSafely(emitter, 'worker', ['error', Object.create(null)]);
  await turn();
  expect(warnings).toEqual(['duestream worker: something was thrown that has no words']);
  emitter.on('error', () => heard.push('listener'));
  emitSafely(emitter, 'worker', ['error', new Error('no')]);
  expect(heard).toEqual(['monitor', 'monitor', 'listener']);
});
