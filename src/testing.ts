/** For the tests of those who use Duestream: a real Redis of their own, in 30 ms. */
export { launchRedis, type RedisLaunchOptions, type RedisServer } from './redis/embedded.js';
