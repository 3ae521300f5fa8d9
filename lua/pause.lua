#!lua flags=allow-oom
-- pause: stop or resume handing out tasks.
--
-- KEYS  1 meta    hash    layout, paused, waits
--       2 wake    channel what waits is told here
-- ARGV  1 layout  string
--       2 paused  int     1 = pause, 0 = resume
-- REPLY ok {was int}
--       other_layout {layout string}
--
-- Running handlers finish. Paused: promote refuses, add writes to the schedule, open puts entries back. Safe to repeat. One that
-- waits since the queue grew is paused all the same until it is released (grow.lua): this says what it is then.
local meta, wake = KEYS[1], KEYS[2]
local layout, paused = ARGV[1], tonumber(ARGV[2])
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits')
if at[1] ~= layout and (at[1] or string.find(layout, '<', 1, true)) then return {'other_layout', at[1] or ''} end
redis.call('HSET', meta, 'layout', layout, at[3] and 'waits' or 'paused', paused)
if not at[3] then redis.call('PUBLISH', wake, paused == 1 and 'paused' or 'resumed') end
return {'ok', tonumber(at[3] or at[2] or '0')}
