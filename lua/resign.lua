#!lua flags=allow-oom
-- resign: say that nobody leads now, and tell the followers. The leader's, after its last write and before it frees the lock.
--
-- KEYS  1 meta    hash    audit
--       2 epoch   hash    {term, token, leader, since_ms, seen_ms, ttl_ms}
--       3 wake    channel 'vacant <term>': bid now
--       4 audit   stream  while a campaign looks on: who led
-- ARGV  1 term    string
--       2 token   string
-- REPLY ok
--       stale_term {term string}
--
-- The term stays: terms only grow.
local meta, epoch, wake, audit = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local term, token = ARGV[1], ARGV[2]
local watched = redis.call('HGET', meta, 'audit') == '1'
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
redis.call('HDEL', epoch, 'seen_ms')
redis.call('HSET', epoch, 'token', '')
redis.call('PUBLISH', wake, 'vacant ' .. term)
if watched then redis.call('XADD', audit, '*', 'op', 'resign', 'term', term) end
return {'ok'}
