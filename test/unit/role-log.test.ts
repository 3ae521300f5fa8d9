import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RoleLog } from '../../src/cli/role-log.js';
import { DuestreamError, type ErrorCode } from '../../src/errors.js';

const lines: string[] = [];
const where = 'localhost:6379';

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trimEnd());
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function up(log: RoleLog, isUp: boolean): void {
  log.observe({ type: 'redis_up', connection: `${where} commands 1`, up: isUp });
}

const failed = (code: ErrorCode, text: string): Error => new DuestreamError(code, text);

test('an outage is two lines, whatever failed in it and just after it', () => {
  const log = new RoleLog([]);
  up(log, false);
  log.tell(failed('ERR_REDIS_UNREACHABLE', 'promote was not sent'));
  vi.advanceTimersByTime(60_000);
  log.tell(failed('ERR_OUTCOME_UNKNOWN', 'settle may have happened'));
  up(log, true);
  log.tell(failed('ERR_OUTCOME_UNKNOWN', 'beat may have happened'));
  expect(lines).toEqual([
    `duestream: Redis at ${where} is unreachable; waiting for it`,
    `duestream: Redis at ${where} is back`,
  ]);
});

test('a command that fails long after an outage is told of, and so is another error in one', () => {
  const log = new RoleLog([]);
  up(log, false);
  log.tell(failed('ERR_OTHER_LAYOUT', 'another format'));
  up(log, true);
  vi.advanceTimersByTime(2_001);
  log.tell(failed('ERR_OUTCOME_UNKNOWN', 'beat may have happened'));
  expect(lines[0]).toBe('duestream: another format');
  expect(lines.at(-1)).toBe('duestream: beat may have happened');
});

test('with verbose the commands that failed are told of, each once', () => {
  const log = new RoleLog([], { verbose: true });
  up(log, false);
  log.tell(failed('ERR_OUTCOME_UNKNOWN', 'beat may have happened'));
  log.tell(failed('ERR_OUTCOME_UNKNOWN', 'beat may have happened'));
  expect(lines).toEqual(['duestream: beat may have happened']);
});

test('a node that left its cluster is not waited for, and no reason to be silent any more', () => {
  const log = new RoleLog([]);
  up(log, false);
  vi.advanceTimersByTime(1_000);
  log.observe({ type: 'redis_closed', connection: `${where} commands 1` });
  log.tell(failed('ERR_OUTCOME_UNKNOWN', 'beat may have happened'));
  expect(lines).toEqual([
    `duestream: Redis at ${where} is unreachable; waiting for it`,
    `duestream: Redis at ${where} is not used any more`,
    'duestream: beat may have happened',
  ]);
});

test('a refused password is no outage', () => {
  const log = new RoleLog([]);
  up(log, false);
  log.tell(failed('ERR_REDIS_REPLY', 'NOAUTH Authentication required.'));
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^duestream: Redis at localhost:6379 refused the password; put the right user and password/);
});

function fails(log: RoleLog, text: string, of = 'commands'): void {
  log.observe({ type: 'redis_error', connection: `${where} ${of} 1`, kind: 'connect', error: new Error(text) });
}

test('why no connection comes about is said where TLS has to do with it, each reason once in an outage', () => {
  const log = new RoleLog([]);
  const expired = 'its certificate has expired';
  for (let tries = 0; tries < 100; tries += 1) {
    up(log, false);
    fails(log, tries < 50 ? 'connect ECONNREFUSED' : expired);
    fails(log, tries < 50 ? 'connect ECONNREFUSED' : expired, 'lock');
    vi.advanceTimersByTime(100);
  }
  up(log, true);
  up(log, false);
  fails(log, expired);
  vi.advanceTimersByTime(1_000);
  expect(lines).toEqual([
    `duestream: Redis at ${where} is unreachable; waiting for it`,
    `duestream: Redis at ${where} is unreachable: ${expired}; waiting for it`,
    `duestream: Redis at ${where} is back`,
    `duestream: Redis at ${where} is unreachable: ${expired}; waiting for it`,
  ]);
});

test('a right that is lacking is no outage, and what can be lost is a warning, once', () => {
  const log = new RoleLog([]);
  up(log, false);
  for (let tries = 0; tries < 3; tries += 1) {
    log.tell(failed('ERR_REDIS_REPLY', 'NOPERM worker: this Redis user lacks +xadd'));
    log.observe({ type: 'at_risk', risks: ['one', 'two'] });
  }
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([
    `duestream: Redis at ${where}: NOPERM worker: this Redis user lacks +xadd; give the Redis user the rights that docs/operations.md names`,
    'duestream: warning: this Redis can lose what it has acknowledged: one; two',
  ]);
});
