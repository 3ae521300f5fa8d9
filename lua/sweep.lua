#!lua flags=allow-oom
-- sweep: put every record that has neither a due member nor a good entry back to the schedule; when counts tell of live
-- fields too many, go over these as well, and drop what stands for no task. Leader only.
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
--       5 cursor  string  '0' from the start, or what the last call gave: 'N' over records, 'lN' over live fields
--       6 count   int     looked at, about
--       7 bytes_max int   nothing more is looked at when so many bytes were read: exceeded by ten records at most
-- REPLY ok {cursor string, looked int, bytes int, swept int, cleared int, unbalanced int}
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
local cursor, count, bytes_max = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
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
local in_live, at = string.sub(cursor, 1, 1) == 'l', string.match(cursor, '%d+$')
local looked, bytes, swept, cleared = 0, 0, 0, 0
for _ = 1, math.ceil(count / 10) do
  local found = redis.call('HSCAN', in_live and live or tasks, at, 'COUNT', math.min(10, count))
  at = found[1]
  for i = 1, #found[2], 2 do
    local id, scheduled = found[2][i], redis.call('ZSCORE', due, found[2][i])
    looked, bytes = looked + 1, bytes + #found[2][i + 1]
    if in_live or not scheduled then
      local entry, recorded = redis.call('HGET', live, id), not in_live or redis.call('HEXISTS', tasks, id) == 1
      local there = entry and recorded and redis.call('XRANGE', stream, entry, entry)[1]
      there = there and redis.call('XRANGE', stream, '(' .. delivered, entry, 'COUNT', 1)[1]
      if entry and not there then there = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)[1] end
      if not there then
        if recorded and not scheduled then
          redis.call('ZADD', due, string.format('%.0f', now_ms), id)
          swept = swept + 1
        end
        cleared = cleared + redis.call('HDEL', live, id)
        if entry then redis.call('XDEL', stream, entry) end
      end
    end
  end
  if at == '0' or bytes >= bytes_max then break end
end
if swept > 0 then redis.call('HINCRBY', counts, 'swept', swept) end
local scheduled, lives, records = redis.call('ZCARD', due), redis.call('HLEN', live), redis.call('HLEN', tasks)
local surplus = lives - redis.call('XLEN', stream)
if in_live and at ~= '0' or not in_live and at == '0' and (surplus > 0 or lives + scheduled > records) then
  at = 'l' .. at
end
return {'ok', at, looked, bytes, swept, cleared, math.max(records - scheduled - lives, surplus, 0)}
