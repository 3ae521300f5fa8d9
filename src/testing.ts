/** For the tests of those who use Duestream: a real Redis of their own, in 30 ms, and what it takes to measure on it. */
export { launchRedis, type RedisLaunchOptions, type RedisServer } from './redis/embedded.js';
/** A connection for raw commands. */
export { Link as RedisLink } from './redis/link.js';
/** The time by which tasks are due, and how sure that is. */
export { ServerClock, type ServerInstant } from './redis/server-clock.js';
/** In which of so many partitions tasks with a key are, or with an id and no key. */
export { partitionOf } from './partition-of.js';
/** 16 random characters: a prefix that no other run has. */
export { newToken } from './random.js';
