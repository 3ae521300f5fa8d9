#!lua flags=allow-oom
-- hand-back: return deliveries unstarted, so that another consumer gets them at once, or after a delay.
--
-- KEYS  1 meta    hash    layout, paused
--       2 due     zset    task id -> due ms
--       3 stream  stream  {id, due}
--       4 live    hash    task id -> stream id of the one entry that counts
--       5 counts  hash    what happened here, by name
--       6 runs    hash    task id -> attempt and errors
--       7 wake    channel 'due <ms>' when a task became the earliest
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 consumer string the name these deliveries were read under
--       4 delay_ms int    0 = to the stream at once; else back to the schedule
-- ITEMS entry string, count int, id string, due_ms int, run string
-- REPLY ok {marks string}
--       other_layout {layout string}
--
-- One script: the new entry, live, then the old entry ended. run: '' stays as it is; else it tells of lost deliveries, for
-- the new entry counts from 1 again. A mark per item: o handed back, l not this consumer's.
-- Repeating it is safe without a lane: the second time the delivery is no longer this consumer's.
local meta, due, stream, live, counts, runs, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, consumer, delay_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local at = redis.call('HMGET', meta, 'layout', 'paused')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.ceil(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('HLEN', counts) redis.call('ZCARD', due)
redis.call('HLEN', runs)
local marks, ends, later = {}, {}, false
for i = 5, #ARGV, 5 do
  local entry, count, id, due_ms, run = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local mine = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1]
  local mark = 'l'
  if mine and mine[4] == count and redis.call('HGET', live, id) == entry then
    mark = 'o'
    if run ~= '' then redis.call('HSET', runs, id, run) end
    if delay_ms > 0 or at[2] == '1' then
      local again_ms = delay_ms > 0 and string.format('%.0f', now_ms + delay_ms) or due_ms
      redis.call('ZADD', due, again_ms, id)
      redis.call('HDEL', live, id)
      later = true
    else
      redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', due_ms))
    end
    ends[#ends + 1] = entry
  end
  marks[#marks + 1] = mark
end
if #ends > 0 then
  redis.call('XACK', stream, 'workers', unpack(ends))
  redis.call('XDEL', stream, unpack(ends))
  redis.call('HINCRBY', counts, 'handed_back', #ends)
end
if later then redis.call('PUBLISH', wake, 'due ' .. redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]) end
return {'ok', table.concat(marks)}
