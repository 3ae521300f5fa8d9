#!lua flags=allow-oom
-- settle: end deliveries: complete, retry or bury. Only for the consumer that still holds them.
--
-- KEYS  1 meta    hash    layout, audit
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 due     zset    task id -> due ms
--       4 tasks   hash    task id -> record
--       5 stream  stream  {id, due}
--       6 live    hash    task id -> stream id of the one entry that counts
--       7 runs    hash    task id -> attempt and errors
--       8 expiry  zset    task id -> the ms from which it must not start any more
--       9 dead    stream  the dead letters; a letter's number is its stream id
--      10 past    hash    task id -> state:number of its newest end that is kept
--      11 counts  hash    what happened here, by name
--      12 wake    channel 'due <ms>' when a task became the earliest
--      13 audit   stream  while a campaign looks on: what ended, and by whom
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 consumer string the name these deliveries were read under
-- ITEMS entry string, count int, id string, verb string, value string, run string
-- REPLY ok {marks string}
--       other_layout {layout string}
--       late_call
--
-- verb and value: complete; retry, delay ms; bury, reason. run: what the failures so far were, as TypeScript wrote it.
-- Refused unless consumer, delivery count and live[id] are all as given. A mark per item: o settled, l lost, c cancelled.
-- Record first, entry last: what is torn leaves an entry without a record, which is stale, never a task without an end.
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local runs, expiry, dead, past, counts, wake, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms, lane, call, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
local exact_ms = now_ms > 0 and now_ms or time[1] * 1000 + time[2] / 1000
now_ms = math.floor(exact_ms)
redis.call('XLEN', stream) redis.call('ZCARD', due) redis.call('ZCARD', expiry) redis.call('HLEN', tasks)
redis.call('HLEN', runs) redis.call('XLEN', dead) redis.call('HLEN', past) redis.call('HLEN', counts)
local most, held, marks, ends, gone, tally, earliest = (#ARGV - 5) / 6 * 4, {}, {}, {}, {}, {}, math.huge
local pending = redis.pcall('XPENDING', stream, 'workers', '-', '+', most, consumer) -- most of what it holds
for _, one in ipairs(pending) do held[one[1]] = one[4] end
for i = 6, #ARGV, 6 do
  local entry, count, id, verb, value, run = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local one = not held[entry] and #pending == most and redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1]
  local mine, good, mark = held[entry] or one and one[4], redis.call('HGET', live, id) == entry, 'l'
  if mine == count and good then
    mark, held[entry] = 'o', 0
    if verb == 'retry' then
      local due_ms = math.ceil(exact_ms + tonumber(value))
      redis.call('ZADD', due, string.format('%.0f', due_ms), id)
      redis.call('HSET', runs, id, run) redis.call('HDEL', live, id)
      if due_ms < earliest then earliest = due_ms end
    else
      if verb == 'bury' then
        local record = redis.call('HGET', tasks, id) or ''
        local letter = redis.call('XADD', dead, '*', 'id', id, 'reason', value, 'run', run, 'at', now_ms, 'record', record)
        redis.call('HSET', past, id, 'dead:' .. letter .. ':' .. entry)
      end
      gone[#gone + 1] = id
    end
    tally[verb] = (tally[verb] or 0) + 1
    if at[2] == '1' then redis.call('XADD', audit, '*', 'op', verb, 'id', id, 'of', entry, 'count', count, 'by', consumer) end
    ends[#ends + 1] = entry
  elseif mine == count then -- stale, unless its number was reissued
    local found = redis.call('XRANGE', stream, entry, entry)[1]
    if not found or found[2][2] == id then ends[#ends + 1], tally.stale = entry, (tally.stale or 0) + 1 end
  else
    local last = redis.call('HGET', past, id)
    if last and string.match(last, '^cancelled:[^:]*:(.*)$') == entry then mark = 'c' end
  end
  marks[#marks + 1] = mark
end
if #gone > 0 then
  redis.call('HDEL', tasks, unpack(gone)) redis.call('HDEL', runs, unpack(gone))
  redis.call('ZREM', expiry, unpack(gone)) redis.call('HDEL', live, unpack(gone))
end
if #ends > 0 then redis.call('XACK', stream, 'workers', unpack(ends)) redis.call('XDEL', stream, unpack(ends)) end
for what, times in pairs(tally) do redis.call('HINCRBY', counts, what, times) end
local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
if earliest <= tonumber(head[2] or '0') then redis.call('PUBLISH', wake, 'due ' .. head[2]) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
