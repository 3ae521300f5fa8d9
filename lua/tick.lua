#!lua
-- tick: fire occurrences of schedules, or pass over them, and move the schedules on. Leader only.
--
-- KEYS  1 meta     hash    layout, paused, audit
--       2 epoch    hash    {term, token} of the leader this partition accepts
--       3 due      zset    task id -> due ms
--       4 tasks    hash    task id -> record
--       5 stream   stream  {id, due}
--       6 live     hash    task id -> stream id of the one entry that counts
--       7 expiry   zset    task id -> the ms from which it must not start any more
--       8 counts   hash    what happened here, by name
--       9 wake     channel 'due <ms>' when a task became the earliest
--      10 cursors  hash    schedule -> how far it has come
--      11 upcoming zset    schedule -> when it wants to be looked at
--      12 passed   stream  nominal times that were not fired, and why
--      13 audit    stream  while a campaign looks on: who fired what, and whose write was refused
-- ARGV  1 layout   string
--       2 now_ms   int     0 = this server's clock
--       3 term     string
--       4 token    string
-- ITEMS schedule string, was string, cursor string, look_ms string, id string, unless string, due_ms int, expires_ms string, record string, passed string
-- REPLY ok {marks string, now_ms int}
--       stale_term {term string}
--       other_layout {layout string}
--
-- An item is one step of one schedule: it moves the cursor from was on, and fires the occurrence id, or none where that is ''.
-- A mark for each: f fired, d the id lives already, m moved and fired none, b blocked (the task unless lives: nothing
-- changed), c changed (the cursor is not was: nothing changed). cursor '': there is none any more. look_ms '': never. passed: what is listed as not fired.
-- The cursor is compared and set where the occurrence is added: so a nominal time is fired once, whoever leads and however
-- often this is sent. Place first, then record, then cursor: what is torn is fired again, under the same id.
local meta, epoch, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, counts, wake, cursors, upcoming, passed, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then
  if at[3] == '1' then redis.call('XADD', audit, '*', 'op', 'refused', 'term', term, 'by', 'tick') end
  return {'stale_term', accepted[1] or '0'}
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', tasks) redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('ZCARD', expiry) redis.call('HLEN', counts)
redis.call('HLEN', cursors) redis.call('ZCARD', upcoming) redis.call('XLEN', passed)
local head = tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2] or math.huge)
local marks, fired, earliest, created = {}, {}, math.huge, string.format('[%.0f,', now_ms)
for i = 5, #ARGV, 10 do
  local schedule, was, cursor, look_ms, id, unless = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local due_ms, expires_ms, record, note = tonumber(ARGV[i + 6]), ARGV[i + 7], ARGV[i + 8], ARGV[i + 9]
  local mark = 'm'
  if (redis.call('HGET', cursors, schedule) or '') ~= was then
    mark = 'c'
  elseif unless ~= '' and redis.call('HEXISTS', tasks, unless) == 1 then
    mark = 'b'
  elseif id ~= '' and redis.call('HEXISTS', tasks, id) == 1 then
    mark = 'd'
  elseif id ~= '' then
    mark, fired[#fired + 1] = 'f', id
    if due_ms > now_ms or at[2] == '1' then
      redis.call('ZADD', due, string.format('%.0f', due_ms), id)
      redis.call('HDEL', live, id)
      earliest = math.min(earliest, due_ms)
    else
      redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', string.format('%.0f', due_ms)))
    end
    if expires_ms ~= '' then redis.call('ZADD', expiry, expires_ms, id) end
    redis.call('HSET', tasks, id, created .. string.sub(record, 2))
  end
  if mark == 'f' or mark == 'd' or mark == 'm' then
    if cursor == '' then redis.call('HDEL', cursors, schedule) else redis.call('HSET', cursors, schedule, cursor) end
    if look_ms == '' then redis.call('ZREM', upcoming, schedule) else redis.call('ZADD', upcoming, look_ms, schedule) end
    if note ~= '' then redis.call('XADD', passed, 'MAXLEN', '~', 10000, '*', 'schedule', schedule, 'passed', note) end
  end
  marks[#marks + 1] = mark
end
if #fired > 0 then redis.call('HINCRBY', counts, 'added', #fired) redis.call('HINCRBY', counts, 'fired', #fired) end
if at[3] == '1' then redis.call('XADD', audit, '*', 'op', 'tick', 'term', term, 'ids', table.concat(fired, ' ')) end
if earliest < head then redis.call('PUBLISH', wake, string.format('due %.0f', earliest)) end
return {'ok', table.concat(marks), now_ms}
