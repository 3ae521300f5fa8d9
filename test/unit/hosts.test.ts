import { describe, expect, test } from 'vitest';
import { type Host, parseHosts, shownHost } from '../../src/redis/hosts.js';

describe('a list of hosts', () => {
  test.each<[string, Host[]]>([
    ['one', [{ host: 'one', port: 7 }]],
    ['one:1', [{ host: 'one', port: 1 }]],
    [
      'a.example.org:26379,b-2,c_3:65535',
      [
        { host: 'a.example.org', port: 26_379 },
        { host: 'b-2', port: 7 },
        { host: 'c_3', port: 65_535 },
      ],
    ],
    [
      '[::1],[fe80::1:2]:8,127.0.0.1:9',
      [
        { host: '::1', port: 7 },
        { host: 'fe80::1:2', port: 8 },
        { host: '127.0.0.1', port: 9 },
      ],
    ],
  ])('%s', (text, hosts) => {
    expect(parseHosts(text, 7)).toEqual(hosts);
    expect(parseHosts(hosts.map(shownHost).join(), 1)).toEqual(hosts);
  });

  test.each([
    '',
    ',',
    'a,',
    ',a',
    'a,,b',
    'a b',
    ' a',
    'a:',
    'a:0',
    'a:65536',
    'a:-1',
    'a:1:2',
    '::1',
    '[::1',
    '[]',
    '[x]:1',
    'pa55word@a',
    'a/b',
    'a?b',
    'ä',
  ])('%j is none, and not shown', (text) => {
    const parse = (): unknown => parseHosts(text, 7);
    expect(parse).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error);
    expect(parse).toThrow(/^connection: host \d of the list is not host, host:port or \[address\]:port$/);
  });
});
