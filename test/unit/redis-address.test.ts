import { describe, expect, test } from 'vitest';
import { hostOf, withoutSecrets } from '../../src/cli/redis-address.js';

describe('where an address leads, and its password out of a text', () => {
  test.each<[string, host: string]>([
    ['redis://me:pa55word@example.org', 'example.org:6379'],
    ['rediss://:pa55word@[::1]:7000/3', '[::1]:7000'],
    ['redis+sentinel://me:pa55word@h1:1,h2,[::1]:3/mymaster/3', 'h1:1,h2,[::1]:3/mymaster/3'],
    ['rediss+sentinel://:pa55word@h1/mymaster', 'h1/mymaster'],
    ['Redis+Sentinel://:pa55word@h1:1,h2:2/mymaster', 'h1:1,h2:2/mymaster'],
    ['redis+cluster://me:pa55word@h1:1,h2:2,[::1]:3', 'h1:1,h2:2,[::1]:3'],
    ['rediss+cluster://:pa55word@h1/0', 'h1'],
  ])('%s', (address, host) => {
    expect(hostOf(address)).toBe(host);
    expect(withoutSecrets('it said pa55word twice, pa55word', [address])).toBe('it said *** twice, ***');
  });

  test.each(['redis://:a%2Cb%40c@h1', 'redis+sentinel://:a%2Cb%40c@h1:1,h2/m'])(
    '%s, as written and as meant',
    (address) => {
      expect(withoutSecrets('a,b@c or a%2Cb%40c', [address])).toBe('*** or ***');
    },
  );

  test.each(['redis+sentinel://h1:1,h2/m', 'redis+sentinel:', 'unix:///run/redis.sock', undefined])(
    '%s has none',
    (address) => expect(withoutSecrets('h1 h2 m', [address])).toBe('h1 h2 m'),
  );
});
