#!lua flags=allow-oom
-- handed-out: whether all that was due here when the queue grew has been handed out. The leader's, while a queue grows.
--
-- KEYS  1 meta    hash    layout, waits, split_ms, split_mark
--       2 due     zset    task id -> due ms
--       3 stream  stream  {id, due}
-- ARGV  1 layout  string
-- REPLY ok {done int}
--       other_layout {layout string}
--
-- First all that was due by split_ms has to be in the stream: its end is marked then. Then the group has to pass the mark.
-- What comes to this partition later may wait for ever behind a backlog, and is not waited for. Once done it stays so.
local meta, due, stream = KEYS[1], KEYS[2], KEYS[3]
local layout = ARGV[1]
local at = redis.call('HMGET', meta, 'layout', 'waits', 'split_ms', 'split_mark')
if at[1] ~= layout then return {'other_layout', at[1] or ''} end
if at[2] then return {'ok', 0} end
if not at[3] then return {'ok', 1} end
local mark = at[4]
if not mark then
  if redis.call('ZCOUNT', due, '-inf', at[3]) > 0 then return {'ok', 0} end
  mark = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  mark = mark and mark[1] or '0-0'
  redis.call('HSET', meta, 'split_mark', mark)
end
local delivered = '0-0'
for _, one in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
  for i = 1, #one, 2 do if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end end
end
if redis.call('XRANGE', stream, '(' .. delivered, mark, 'COUNT', 1)[1] then return {'ok', 0} end
redis.call('HDEL', meta, 'split_ms', 'split_mark')
return {'ok', 1}
