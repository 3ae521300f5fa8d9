#!lua flags=allow-oom
-- pause: stop or resume handing out tasks.
--
-- KEYS  1 meta    hash    layout, paused
--       2 wake    channel what waits is told here
-- ARGV  1 layout  string
--       2 paused  int     1 = pause, 0 = resume
-- REPLY ok {was int}
--       other_layout {layout string}
--
-- Running handlers finish. Paused: promote refuses, add writes to the schedule, open puts entries back. Safe to repeat.
local meta, wake = KEYS[1], KEYS[2]
local layout, paused = ARGV[1], tonumber(ARGV[2])
local at = redis.call('HMGET', meta, 'layout', 'paused')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
redis.call('HSET', meta, 'layout', layout, 'paused', paused)
redis.call('PUBLISH', wake, paused == 1 and 'paused' or 'resumed')
return {'ok', tonumber(at[2] or '0')}
