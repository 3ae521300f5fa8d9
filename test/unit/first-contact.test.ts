import { expect, test } from 'vitest';
import { FirstContact } from '../../src/cli/first-contact.js';
import { DuestreamError } from '../../src/index.js';

const wrongKind = new DuestreamError('ERR_INVALID_ARGUMENT', 'the server is one node of a Redis Cluster');
const up = (isUp: boolean) => ({ type: 'redis_up', connection: 'here:6379 leader 1', up: isUp }) as const;

test('an address that is refused before Redis was reached ends the role', async () => {
  const contact = new FirstContact();
  contact.observe(up(false));
  expect(contact.ends(wrongKind)).toBe(true);
  await expect(contact.refused).rejects.toBe(wrongKind);
});

test('a Redis that is away, or refuses the password, is waited for', () => {
  const contact = new FirstContact();
  expect(contact.ends(new DuestreamError('ERR_REDIS_UNREACHABLE', 'away'))).toBe(false);
  expect(contact.ends(new DuestreamError('ERR_REDIS_REPLY', 'WRONGPASS'))).toBe(false);
});

test('once Redis was reached, another kind of server in its place is waited out', () => {
  const contact = new FirstContact();
  contact.observe(up(true));
  contact.observe(up(false));
  expect(contact.ends(wrongKind)).toBe(false);
});
