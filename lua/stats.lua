#!lua flags=no-writes
-- stats: the figures of one partition, in one look.
--
-- KEYS  1 meta    hash    layout, paused, waits
--       2 epoch   hash    {term, token, leader, since_ms, seen_ms, ttl_ms}
--       3 due     zset    task id -> due ms
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 tasks   hash    task id -> record
--       7 dead    stream  the dead letters; a letter's number is its stream id
--       8 ended   stream  the cancelled and expired
--       9 consumers hash    consumer -> 'lease_ms beat_ms worker'
--      10 counts  hash    what happened here, by name
--      11 schedules hash    schedule -> its definition
--      12 upcoming zset    schedule -> when it wants to be looked at
--      13 cursors hash     schedule -> how far it has come
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
-- REPLY ok {now_ms int, waits int, paused int, scheduled int, due int, ready int, active int, dead int, ended int, consumers int, unplaced int, oldest_due_ms int?, oldest_ready_ms int?, schedules int, next_schedule_ms int?, hold_ms int, epoch string[], counts string[]}
--       other_layout {layout string}
--
-- scheduled = not yet due; due = due and not yet promoted; active = pending; ready = XLEN - pending, exactly, for whoever
-- ends an entry deletes it. unplaced: records without a place, as far as counts can tell: the sweep puts them back.
-- next_schedule_ms: the first time of a schedule that is not decided yet, of the ten that are looked at next. What waits for
-- its former, or is backfilled, is looked at more often than it has times.
-- waits: new since the queue grew, and handing out nothing yet (grow.lua). O(log n), and O(consumers).
local meta, epoch, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local dead, ended, consumers, counts, schedules, upcoming, cursors = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms = ARGV[1], tonumber(ARGV[2])
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits', 'hold_ms')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local all, late = redis.call('ZCARD', due), redis.call('ZCOUNT', due, '-inf', string.format('%.0f', now_ms))
local pending, delivered = 0, '0-0'
local groups = redis.pcall('XINFO', 'GROUPS', stream)
for _, one in ipairs(groups) do
  for i = 1, #one, 2 do
    if one[2] == 'workers' and one[i] == 'pending' then pending = one[i + 1] end
    if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end
  end
end
-- What others wrote may be any number, or none.
local function sane_ms(ms) return ms and math.min(math.max(0, math.ceil(ms)), 9e15) or false end
local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local looks, next_ms = redis.call('ZRANGE', upcoming, 0, 10, 'WITHSCORES'), false
for i = 1, #looks, 2 do
  local at_ms = tonumber(looks[i + 1])
  if i < 20 then at_ms = tonumber(string.match(redis.call('HGET', cursors, looks[i]) or '', '^{"v":%d+,"c":%d+,"n":(%d+)') or '') end
  if at_ms and (not next_ms or at_ms < next_ms) then next_ms = at_ms end
end
local first = redis.call('XRANGE', stream, '(' .. delivered, '+', 'COUNT', 1)[1]
local leader = redis.call('HMGET', epoch, 'term', 'leader', 'since_ms', 'seen_ms', 'ttl_ms')
for i = 1, 5 do leader[i] = leader[i] or '' end
local lives, entries = redis.call('HLEN', live), redis.call('XLEN', stream)
local unplaced = math.max(redis.call('HLEN', tasks) - all - lives, lives - entries, 0)
return {'ok', now_ms, at[3] and 1 or 0, (at[3] or at[2]) == '1' and 1 or 0, all - late, late, entries - pending, pending,
  redis.call('XLEN', dead), redis.call('XLEN', ended), redis.call('HLEN', consumers), unplaced, sane_ms(tonumber(head[2])),
  first and sane_ms(tonumber(first[2][4])) or false, redis.call('HLEN', schedules),
  sane_ms(next_ms), tonumber(at[4] or '0'), leader, redis.call('HGETALL', counts)}
