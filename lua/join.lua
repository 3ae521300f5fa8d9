#!lua flags=allow-oom
-- join: make a new consumer known, and the group with it: before its first read.
--
-- KEYS  1 meta    hash    layout, group
--       2 stream  stream  {id, due}
--       3 consumers hash  consumer -> 'lease_ms beat_ms worker'
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 consumer string new for every connection, and after a re-created group
--       4 worker  string  who that is, for people
--       5 lease_ms int
-- REPLY ok {now_ms int, group int}
--       other_layout {layout string}
--
-- A group that is missing is made at 0: what an operator destroyed is read again, from the first entry that is left. It gets
-- a number, so that a name of the group before can't be taken for the owner of what it reads again.
local meta, stream, consumers = KEYS[1], KEYS[2], KEYS[3]
local layout, now_ms, consumer, worker, lease_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout and (stored or string.find(layout, '<', 1, true)) then return {'other_layout', stored or ''} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', consumers)
local made = redis.pcall('XGROUP', 'CREATE', stream, 'workers', '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
if not stored then redis.call('HSET', meta, 'layout', layout) end
if not made.err then redis.call('HINCRBY', meta, 'group', 1) end
redis.call('XGROUP', 'CREATECONSUMER', stream, 'workers', consumer)
redis.call('HSET', consumers, consumer, lease_ms .. ' ' .. string.format('%.0f', now_ms) .. ' ' .. worker)
return {'ok', now_ms, tonumber(redis.call('HGET', meta, 'group') or 0)}
