#!lua flags=allow-oom
-- release: let a partition that came with a growth hand out its tasks. The leader's, when what was before them has gone.
--
-- KEYS  1 meta    hash    layout, paused, waits
--       2 wake    channel what waits is told here
-- ARGV  1 layout  string
-- REPLY ok {released int}
--       other_layout {layout string}
--
-- It becomes what its queue is: paused or not. Safe to repeat.
local meta, wake = KEYS[1], KEYS[2]
local layout = ARGV[1]
local at = redis.call('HMGET', meta, 'layout', 'waits')
if at[1] ~= layout then return {'other_layout', at[1] or ''} end
if not at[2] then return {'ok', 0} end
redis.call('HSET', meta, 'paused', at[2])
redis.call('HDEL', meta, 'waits')
if at[2] == '0' then redis.call('PUBLISH', wake, 'resumed') end
return {'ok', 1}
