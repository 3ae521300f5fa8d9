import { describe, expect, onTestFinished, test } from 'vitest';
import { Queue, type WantedSchedule } from '../../src/index.js';
import { intercepted } from '../support/intercepted.js';
import { useLab } from '../support/lab.js';

const lab = useLab();
const hourly: WantedSchedule = { every: '1h', task: { name: 'job' } };
const daily: WantedSchedule = { cron: '0 3 * * *', task: { name: 'job', payload: { secret: 1 } } };

const versions = async (): Promise<Record<string, number>> => {
  const { schedules } = await lab().queue.schedules.list({ limit: 1_000 });
  return Object.fromEntries(schedules.map(({ name, version }) => [name, version]));
};
const statuses = (applied: readonly { name: string; status: string }[]): string[] =>
  applied.map(({ name, status }) => `${name} ${status}`);

/** A queue whose process is held back, once, when it has read schedules so often: `meanwhile` runs then. */
function heldBack(meanwhile: () => Promise<unknown>, afterReads = 1): Queue {
  let reads = 0;
  const connection = intercepted(lab().server, async (args) => {
    if (!args.includes(lab().keys.schedules)) return;
    reads += 1;
    if (reads === afterReads) await meanwhile();
  });
  const queue = new Queue(lab().name, { connection });
  onTestFinished(() => queue.close());
  return queue;
}

describe('applying schedules', () => {
  test('creates, changes with the next version, leaves what is the same, and prunes', async () => {
    const { schedules } = lab().queue;
    await lab().queue.schedule('c', { every: '5h', version: 7 }, { name: 'job' });
    await lab().queue.schedule('d', { every: '1h' }, { name: 'job' });
    await lab().queue.schedule('x', { every: '1h' }, { name: 'job' });
    const wanted = { a: hourly, c: hourly, d: hourly };
    expect(statuses(await schedules.apply(wanted, { prune: true, dryRun: true }))).toEqual([
      'a created',
      'c changed',
      'd unchanged',
      'x deleted',
    ]);
    expect(await versions()).toEqual({ c: 7, d: 1, x: 1 });
    const [, changed] = await schedules.apply(wanted, { prune: true });
    expect(changed).toMatchObject({
      version: 8,
      rule: 'every 1h',
      changes: [{ field: 'every', from: '5h', to: '1h' }],
    });
    expect(await versions()).toEqual({ a: 1, c: 8, d: 1 });
    expect(statuses(await schedules.apply(wanted, { prune: true }))).toEqual([
      'a unchanged',
      'c unchanged',
      'd unchanged',
    ]);
  });

  test('keeps how far a schedule has come', async () => {
    const { queue } = lab();
    await queue.schedules.apply({ a: hourly });
    await queue.schedules.pause('a', { note: 'kept' });
    await queue.schedules.apply({ a: { ...hourly, overlap: 'skip' } });
    expect(await queue.schedules.get('a')).toMatchObject({ version: 2, paused: { note: 'kept' } });
  });

  test('says the next time of one that is paused, too', async () => {
    const { queue } = lab();
    const [made] = await queue.schedules.apply({ a: hourly });
    await queue.schedules.pause('a');
    const [same] = await queue.schedules.apply({ a: hourly });
    expect(same).toEqual({ ...made, status: 'unchanged' });
  });

  test('takes one whose times are all past, which has no next', async () => {
    const { schedules } = lab().queue;
    const past: WantedSchedule = { every: '1h', end: '2020-01-01T00:00Z', task: { name: 'job' } };
    expect(await schedules.apply({ past })).toMatchObject([{ status: 'created', next: null }]);
    expect(await schedules.apply({ past })).toMatchObject([{ status: 'unchanged', next: null }]);
    expect(await schedules.get('past')).toMatchObject({ state: 'finished' });
  });

  test('names all that are refused, and each is a cause', async () => {
    const wanted = {
      a: { ...hourly, every: '1x' },
      b: hourly,
      c: { every: '1h', task: { name: 'job', payload: 1n } },
      d: { ...hourly, nmae: 1 },
    };
    const error = await lab()
      .queue.schedules.apply(wanted)
      .catch((thrown: unknown) => thrown);
    const lines = (error as Error).message.split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^the schedule "a": every must be a duration/),
      expect.stringMatching(/^the schedule "c": payload/),
      expect.stringMatching(/^the schedule "d": unknown option "nmae"/),
    ]);
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    const { errors } = (error as Error).cause as AggregateError;
    expect(errors.map(({ message, code }) => [message, code])).toEqual([
      [lines[0], 'ERR_INVALID_ARGUMENT'],
      [lines[1], 'ERR_INVALID_PAYLOAD'],
      [lines[2], 'ERR_INVALID_ARGUMENT'],
    ]);
    expect(await lab().send('DBSIZE')).toBe(0);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a rule', { a: hourly, b: { ...hourly, every: '1x' } }, 'the schedule "b": every must be a duration'],
    ['no schedule', { a: hourly, b: null }, 'the schedule "b": must be an object'],
    ['an option', { a: hourly, b: { ...hourly, name: 'x' } }, 'the schedule "b": unknown option "name" of a schedule'],
    [
      'a task option',
      { a: hourly, b: { ...hourly, task: { name: 'x', id: 'y' } } },
      'the schedule "b": unknown option "id"',
    ],
  ])('refuses all for %s, and says which it is of', async (_what, wanted, message) => {
    const applying = lab().queue.schedules.apply(wanted as Record<string, WantedSchedule>);
    await expect(applying).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining(message) as string,
    });
    expect(await lab().send('DBSIZE')).toBe(0);
  });

  test('a payload that can not be kept is refused in the same way, and not shown', async () => {
    const wanted = { a: hourly, b: { every: '1h', task: { name: 'job', payload: { secret: 1n } } } } as const;
    await expect(lab().queue.schedules.apply(wanted)).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      message: expect.stringMatching(/^the schedule "b": /) as string,
    });
    expect(await lab().send('DBSIZE')).toBe(0);
  });

  test.each([
    ['options', null, 'options must be an object'],
    ['an unknown one', { dryrun: true }, 'unknown option "dryrun": expected one of prune, dryRun'],
    ['a word for a switch', { prune: 'no' }, 'prune must be true or false, got "no"'],
  ])('refuses %s', async (_what, options, message) => {
    await expect(lab().queue.schedules.apply({ a: hourly }, options as never)).rejects.toThrow(message);
  });

  test('a conflict of one with what stands refuses all before anything is written', async () => {
    const { queue } = lab();
    await queue.schedule('b', { every: '5h', version: 2 }, { name: 'job' });
    await expect(queue.schedules.apply({ a: hourly, b: { ...hourly, version: 2 } })).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: expect.stringContaining('the schedule b stands with version 2') as string,
    });
    expect(await versions()).toEqual({ b: 2 });
    await queue.schedule('c', { every: '5h', version: 3 }, { name: 'job' });
    const both = queue.schedules.apply({ a: hourly, b: { ...hourly, version: 2 }, c: { ...hourly, version: 3 } });
    await expect(both).rejects.toMatchObject({
      code: 'ERR_CONFLICT',
      message: expect.stringMatching(
        /^the schedule b stands with version 2 .*\nthe schedule c stands with version 3 /,
      ) as string,
    });
    expect(await versions()).toEqual({ b: 2, c: 3 });
  });
});

describe('when somebody else changes a schedule between the look and the write', () => {
  const conflict = {
    code: 'ERR_CONFLICT',
    message: expect.stringContaining('was changed by somebody else meanwhile') as string,
  };

  test('it is left to them', async () => {
    const { queue } = lab();
    await queue.schedule('a', { every: '5h' }, { name: 'job' });
    const held = heldBack(() => queue.schedule('a', { every: '6h', version: 2 }, { name: 'job' }));
    await expect(held.schedules.apply({ a: hourly })).rejects.toMatchObject(conflict);
    expect(await queue.schedules.get('a')).toMatchObject({ version: 2, rule: 'every 6h' });
    expect(statuses(await held.schedules.apply({ a: hourly }))).toEqual(['a changed']);
  });

  test('one that they make just so is unchanged', async () => {
    const { queue } = lab();
    const held = heldBack(() => queue.schedules.apply({ a: hourly }));
    expect(statuses(await held.schedules.apply({ a: hourly, b: hourly }))).toEqual(['a unchanged', 'b created']);
    expect(await versions()).toEqual({ a: 1, b: 1 });
  });

  test('it is not pruned', async () => {
    const { queue } = lab();
    await queue.schedules.apply({ a: hourly, b: hourly });
    const held = heldBack(() => queue.schedules.apply({ b: daily }), 2); // the second read is that of all names
    await expect(held.schedules.apply({ a: hourly }, { prune: true })).rejects.toMatchObject(conflict);
    expect(await versions()).toEqual({ a: 1, b: 2 });
  });

  test('a schedule that only went on is no conflict', async () => {
    const { queue } = lab();
    await queue.schedules.apply({ a: hourly });
    const held = heldBack(() => queue.schedules.pause('a', { note: 'meanwhile' }));
    expect(statuses(await held.schedules.apply({ a: daily }))).toEqual(['a changed']);
    expect(await queue.schedules.get('a')).toMatchObject({ paused: { note: 'meanwhile' }, version: 2 });
  });
});
