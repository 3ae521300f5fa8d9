import { expect, test } from 'vitest';
import { Line } from '../../src/consumer/line.js';
import { VirtualClock } from '../support/virtual-clock.js';

class Stage {
  readonly clock = new VirtualClock(0);
  readonly #line = new Line(this.clock);
  readonly #fetchers = new Map<string, object>();
  readonly #names = new Map<object, string>();

  /** Those who wait from now on, each for 50 slots. */
  wait(...names: string[]): void {
    for (const name of names) this.#add(name, 50, {});
  }

  waitTurnedAway(name: string): void {
    this.#add(name, 1, { wasTurnedAway: true });
  }

  /** One who wants slots once, and has no turns. */
  waitOnce(name: string): void {
    const resolve = (): void => {};
    this.#names.set(resolve, name);
    this.#line.add({ slotsMax: 1, resolve });
  }

  next(free = 50): string | undefined {
    const taker = this.#line.next(free);
    return taker && this.#names.get(taker.resolve);
  }

  /** Who is served so many times, each waiting again at once. */
  served(times: number): string {
    return Array.from({ length: times }, () => {
      const name = this.next() as string;
      this.wait(name);
      return name;
    }).join('');
  }

  get length(): number {
    return this.#line.length;
  }

  #add(name: string, slotsMax: number, more: { wasTurnedAway?: boolean }): void {
    const by = this.#fetchers.get(name) ?? {};
    this.#fetchers.set(name, by);
    const resolve = (): void => {};
    this.#names.set(resolve, name);
    this.#line.add({ by, slotsMax, resolve, ...more });
  }
}

test('who is served goes on for 1,600 slots, then the next has a turn', () => {
  const stage = new Stage();
  stage.wait('a', 'b', 'c');
  expect(stage.served(98)).toBe(['a', 'b', 'c'].map((one) => one.repeat(32)).join('') + 'aa');
  expect(stage.length).toBe(3);
});

test('a turn of few slots ends after 20 ms', async () => {
  const stage = new Stage();
  stage.wait('a', 'b');
  expect(stage.served(3)).toBe('aaa');
  await stage.clock.advance(19);
  expect(stage.served(1)).toBe('a');
  await stage.clock.advance(1);
  expect(stage.served(3)).toBe('bbb');
});

test('who does not want any more loses the rest of the turn', () => {
  const stage = new Stage();
  stage.wait('a', 'b');
  expect([stage.next(), stage.next(), stage.next()]).toEqual(['a', 'b', undefined]);
  stage.wait('a');
  expect(stage.served(2)).toBe('aa');
});

test('who is alone has one turn after another', () => {
  const stage = new Stage();
  stage.wait('a');
  expect(stage.served(20)).toBe('a'.repeat(20));
});

test('only what was given counts, not what was wanted', () => {
  const stage = new Stage();
  stage.wait('a', 'b');
  for (let one = 0; one < 1_600; one += 1) {
    expect(stage.next(1)).toBe('a');
    stage.wait('a');
  }
  expect(stage.next(1)).toBe('b');
});

test('who was turned away comes before the others, once in a turn', () => {
  const stage = new Stage();
  stage.wait('a', 'b');
  expect(stage.served(2)).toBe('aa');
  stage.waitTurnedAway('lone');
  expect(stage.served(1)).toBe('lone'); // and waits again, like the others
  expect(stage.served(30)).toBe('a'.repeat(30));
  expect(stage.served(33)).toBe(`${'b'.repeat(32)}lone`);
});

test('however many are turned away again and again, whose turn it is is served', () => {
  const stage = new Stage();
  const lone = ['x', 'y', 'z'];
  stage.wait('full');
  const order: string[] = [];
  for (let round = 0; round < 40; round += 1) {
    for (const name of lone) if (!order.includes(name) || order.at(-1) !== name) stage.waitTurnedAway(name);
    for (let served = 0; served < 4; served += 1) {
      const name = stage.next() as string;
      order.push(name);
      if (name === 'full') stage.wait(name);
    }
  }
  expect(order.filter((name) => name === 'full').length).toBeGreaterThanOrEqual(20);
});

test('who wants slots once is served in its place, and takes no turn from anybody', () => {
  const stage = new Stage();
  stage.wait('a');
  expect(stage.served(32)).toBe('a'.repeat(32));
  stage.waitOnce('recovery');
  stage.wait('b');
  expect([stage.next(), stage.next()]).toEqual(['recovery', 'b']);
});
