import { expect, test } from 'vitest';
import type { Link, Reply } from '../../src/redis/link.js';
import { Proxy } from '../support/proxy.js';
import { EventLog, linkTo, startRedis, until } from '../support/redis.js';

const rounds = 300;
const values = 8;
const valueBytes = 20_000;

/** Every byte of it says whose it is. */
function valueOf(n: number): string {
  return `<${n}>`.repeat(valueBytes / 3).slice(0, valueBytes);
}

interface Question {
  args: string[];
  answer: Reply;
}

function questionsOf(round: number): Question[] {
  const big = Array.from({ length: 3 }, (_, n) => (round + n) % values);
  return [
    { args: ['ECHO', `round ${round}`], answer: `round ${round}` },
    ...big.map((n) => ({ args: ['GET', `value ${n}`], answer: valueOf(n) })),
    { args: ['MGET', ...big.map((n) => `value ${n}`)], answer: big.map(valueOf) },
    { args: ['ECHO', `end of ${round}`], answer: `end of ${round}` },
  ];
}

/** One round; the number of replies that came. A wrong one fails the test, and so does an error of any other kind. */
async function ask(link: Link, round: number): Promise<number> {
  const questions = questionsOf(round);
  const outcomes = await Promise.allSettled(questions.map(({ args }) => link.send(args, { timeoutMs: 20_000 })));
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') expect(outcome.value).toEqual(questions[at]?.answer);
    else expect(outcome.reason).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' });
  }
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

/** Numbers that look random and are the same each time: a failing round can be repeated. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('replies that are cut at any byte never wedge a link nor reach another command', {
  timeout: 120_000,
}, async () => {
  const server = await startRedis();
  const direct = linkTo(server.connection);
  for (let n = 0; n < values; n += 1) await direct.send(['SET', `value ${n}`, valueOf(n)]);
  const proxy = await Proxy.before(server);
  const next = numbers(20_260_101);
  proxy.cutAfter = () => Math.floor(next() * 8 * valueBytes);

  const links = [1, 2, 3].map(() => linkTo(proxy.url));
  let replies = 0;
  for (let round = 0; round < rounds / links.length; round += 1) {
    const came = await Promise.all(links.map((link, at) => ask(link, round * links.length + at)));
    for (const count of came) replies += count;
  }
  expect(proxy.cuts).toBeGreaterThan(rounds / 4);
  expect(replies).toBeGreaterThan(rounds);

  proxy.heal();
  for (const [at, link] of links.entries()) {
    await until(async () => (await ask(link, at)) === questionsOf(at).length, 'a whole round comes through');
  }
});

test('a Redis killed in the middle of a big reply and started again is worked with again', async () => {
  const server = await startRedis({ port: 'free', appendonly: 'everysec' });
  const big = 'x'.repeat(1024 * 1024);
  await linkTo(server.connection).send(['SET', 'big', big]);
  const proxy = await Proxy.before(server);
  const events = new EventLog();
  const link = linkTo(proxy.url, { onEvent: events.add });
  for (let round = 0; round < 5; round += 1) {
    await link.send(['ECHO', 'up'], { timeoutMs: 20_000 });
    const passed = proxy.replyBytes;
    const replies = Array.from({ length: 20 }, () => link.send(['GET', 'big']));
    const settled = Promise.allSettled(replies);
    await until(() => proxy.replyBytes > passed + big.length / 2, 'the replies flow');
    await server.kill('SIGKILL');
    for (const outcome of await settled) {
      if (outcome.status === 'fulfilled') expect(outcome.value).toBe(big);
      else expect(outcome.reason).toMatchObject({ code: 'ERR_OUTCOME_UNKNOWN' });
    }
    await server.restart();
    expect(await link.send(['GET', 'big'], { timeoutMs: 20_000 })).toBe(big);
  }
  expect(events.events.filter(({ type }) => type === 'lost').length).toBeGreaterThan(0);
});
