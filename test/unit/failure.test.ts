import { expect, test } from 'vitest';
import { lineOf } from '../../src/cli/failure.js';
import { DuestreamError } from '../../src/errors.js';

/** What a command says when it fails: what Redis said, and what to do about it. */
test.each([
  ['ERR_REDIS_UNREACHABLE', 'connect ECONNREFUSED', /; start Redis, or name another with --redis/],
  [
    'ERR_REDIS_UNREACHABLE',
    'stats was not done: no node serves it',
    /; see duestream doctor; redis-cli --cluster fix /,
  ],
  [
    'ERR_REDIS_UNREACHABLE',
    'no Sentinel names the master x: it knows no master of that name',
    /; after the \/ of its URL /,
  ],
  ['ERR_REDIS_UNREACHABLE', 'its certificate has expired: renew it', /: renew it$/],
  [
    'ERR_REDIS_REPLY',
    'NOREPLICAS Not enough good replicas to write.',
    /write; .* min-replicas-to-write; look at them$/,
  ],
  ['ERR_REDIS_REPLY', 'CLUSTERDOWN The cluster is down', /; see duestream doctor; /],
  [
    'ERR_REDIS_REPLY',
    "READONLY You can't write against a read only replica.",
    /replica; this is a replica; name its master$/,
  ],
  ['ERR_REDIS_REPLY', 'ERR something else', /^ERR something else$/],
  [
    'ERR_REDIS_REPLY',
    'the list of queues can not be read: CLUSTERDOWN Hash slot not served',
    /; see duestream doctor; /,
  ],
  ['ERR_REDIS_REPLY', 'the record of task OOM-1 can not be read', /can not be read$/],
  ['ERR_CONFLICT', 'OOM is a word', /^OOM is a word$/],
] as const)('%s: %s', (code, message, line) => {
  expect(lineOf(new DuestreamError(code, message))).toMatch(line);
});
