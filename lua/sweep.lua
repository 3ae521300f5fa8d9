#!lua flags=allow-oom
-- sweep: put every record that has neither a due member nor a good entry back to the schedule. Leader only.
--
-- KEYS  1 meta    hash    layout
--       2 epoch   hash    {term, token} of the leader this partition accepts
--       3 due     zset    task id -> due ms
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 tasks   hash    task id -> record
--       7 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 term    string
--       4 token   string
--       5 cursor  string  '0' from the start, or what the last call gave
--       6 count   int     records looked at, about; fewer when records are large
-- REPLY ok {cursor string, looked int, bytes int, swept int, unbalanced int}
--       stale_term {term string}
--       other_layout {layout string}
--
-- It heals a deleted stream, a script torn by a key of the wrong type, an operator's hand. A delivery that is pending is
-- left alone even when its entry is gone: its owner may settle it, or its lease ends. An entry that the group has passed
-- and nobody holds (XGROUP DELCONSUMER, a group made anew at $) is out of reach, and ended here. unbalanced: records that are
-- neither scheduled nor live, as far as counts can tell; 0 in health, and the reason to sweep fast when not.
local meta, epoch, due, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local live, tasks, counts = KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local cursor, count = ARGV[5], ARGV[6]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('ZCARD', due) redis.call('HLEN', live) redis.call('HLEN', counts)
local delivered = '0-0'
for _, one in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
  for i = 1, #one, 2 do if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end end
end
local found = redis.call('HSCAN', tasks, cursor, 'COUNT', count)
local swept, bytes = 0, 0
for i = 1, #found[2], 2 do
  local id = found[2][i]
  bytes = bytes + #found[2][i + 1]
  if not redis.call('ZSCORE', due, id) then
    local entry = redis.call('HGET', live, id)
    local there = entry and redis.call('XRANGE', stream, entry, entry)[1]
    there = there and redis.call('XRANGE', stream, '(' .. delivered, entry, 'COUNT', 1)[1]
    if entry and not there then
      local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
      there = owned[1]
    end
    if not there then
      redis.call('ZADD', due, string.format('%.0f', now_ms), id)
      redis.call('HDEL', live, id)
      if entry then redis.call('XDEL', stream, entry) end
      swept = swept + 1
    end
  end
end
if swept > 0 then redis.call('HINCRBY', counts, 'swept', swept) end
local scheduled, lives, records = redis.call('ZCARD', due), redis.call('HLEN', live), redis.call('HLEN', tasks)
local unbalanced = math.max(records - scheduled - lives, lives - redis.call('XLEN', stream), 0)
return {'ok', found[1], #found[2] / 2, bytes, swept, unbalanced}
