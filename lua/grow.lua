#!lua flags=allow-oom
-- grow: make a partition one of a larger layout, or tell it that the growth is over. Anybody, whoever finds it behind.
--
-- KEYS  1 meta    hash    layout, paused, waits, split_ms, split_mark
-- ARGV  1 layout  string  format/partitions, and '<n' for each number it has grown from and is not done with
--       2 now_ms  int     0 = this server's clock
--       3 from    string  the layout it is taken to have; '' = none yet
--       4 waits   string  of a partition that has none yet, and is new in this growth: paused, as the queue is; else ''
-- REPLY ok {paused int}
--       other_layout {layout string}
--
-- The queue's first partition goes first and decides; the others follow, in any order, made to by whoever meets them.
-- From here on adds of the former layout are refused, so that no id which belongs elsewhere by now can come to life here.
-- A new partition is paused until what was ready before it has been handed out: `paused` is what the scripts obey, `waits`
-- what it becomes then. split_ms: what was due by then is to be handed out first (handed-out.lua). Safe to repeat.
local meta = KEYS[1]
local layout, now_ms, from, waits = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits')
local paused = tonumber(at[2] or '0')
if at[1] == layout then return {'ok', paused} end
if (at[1] or '') ~= from then return {'other_layout', at[1] or ''} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HSET', meta, 'layout', layout)
if not string.find(layout, '<', 1, true) then
  if at[3] then redis.call('HSET', meta, 'paused', at[3]) end
  redis.call('HDEL', meta, 'split_ms', 'split_mark', 'waits')
elseif from ~= '' then
  redis.call('HSET', meta, 'split_ms', string.format('%.0f', now_ms))
  redis.call('HDEL', meta, 'split_mark')
elseif waits ~= '' then
  redis.call('HSET', meta, 'waits', waits, 'paused', 1)
end
return {'ok', paused}
