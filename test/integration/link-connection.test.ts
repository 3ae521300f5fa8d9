import { createClient } from 'redis';
import { describe, expect, test } from 'vitest';
import { type ConnectionOption, describeConnection, openClient } from '../../src/redis/connection.js';
import { Link } from '../../src/redis/link.js';
import { linkTo, startRedis } from '../support/redis.js';

const secret = 'pa55word';

describe('what a connection is called', () => {
  test.each<[ConnectionOption, string]>([
    ['redis://example.org', 'example.org:6379'],
    [`redis://me:${secret}@example.org:7000/3`, 'example.org:7000/3'],
    [`rediss://:${secret}@[::1]:7000/0`, '[::1]:7000'],
    ['unix:///run/redis.sock', '/run/redis.sock'],
    [{ socket: { path: '/run/redis.sock' }, database: 2, password: secret }, '/run/redis.sock/2'],
    [{ url: `redis://:${secret}@example.org/4` }, 'example.org:6379/4'],
    [{}, 'localhost:6379'],
    [() => createClient(), 'the connection of your function'],
  ])('%j is %s', (option, name) => {
    expect(describeConnection(option)).toBe(name);
  });
});

describe('refused at the door, without the password', () => {
  test.each<[unknown]>([
    [`redis://:${secret}#x@example.org`],
    [`redis://:${secret}/x@example.org`],
    [`redis://:${secret}%zz@example.org`],
    [`http://:${secret}@example.org`],
    [`redis://:${secret}@`],
    [`redis://:${secret}@example.org/first`],
    [`redis://:${secret}@example.org?db=1`],
    [secret],
    [''],
    [`unix://${secret}`],
    [42],
    [null],
    [[secret]],
    [{ url: 7 }],
    [{ url: `nonsense ${secret}` }],
    [{ socket: secret }],
    [{ database: -1 }],
    [{ password: 12345 }],
    [createClient()],
  ])('%#', (option) => {
    const make = (): Link => new Link({ connection: option as ConnectionOption, purpose: 'commands' });
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error);
    expect(make).not.toThrow(secret);
  });
});

describe('a client', () => {
  test('is new each time, and never reconnects or queues by itself, whatever the options say', () => {
    const option = { socket: { port: 7000, reconnectStrategy: 50 }, disableOfflineQueue: false, pingInterval: 10 };
    const [one, two] = [openClient(option), openClient(option)];
    expect(one).not.toBe(two);
    expect((one as ReturnType<typeof createClient>).options).toMatchObject({
      socket: { port: 7000, reconnectStrategy: false, connectTimeout: 5_000 },
      disableOfflineQueue: true,
      disableClientInfo: true,
    });
    expect(option.socket).toEqual({ port: 7000, reconnectStrategy: 50 });
  });

  test('reaches the user, password, database and socket that a URL names', async () => {
    const server = await startRedis({ port: 'free', socket: true });
    const admin = linkTo(server.connection);
    await admin.send(['ACL', 'SETUSER', 'me', 'on', '>a/b@c', '~*', '+@all']);
    const link = linkTo(`redis://me:a%2Fb%40c@127.0.0.1:${server.port}/5`);
    expect(await link.send(['ACL', 'WHOAMI'])).toBe('me');
    expect(await link.send(['CLIENT', 'INFO'])).toMatch(/ db=5 /);
    expect(await linkTo(server.url).send(['CLIENT', 'INFO'])).toMatch(/redis\.sock/);
  });
});
