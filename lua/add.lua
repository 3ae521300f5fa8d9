#!lua
-- add: place new tasks, each in the schedule or, when due, in the stream. Producers, in any language (docs/wire-format.md).
--
-- KEYS  1 meta    hash    layout, paused
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 due     zset    task id -> due ms
--       4 tasks   hash    task id -> record
--       5 stream  stream  {id, due}
--       6 live    hash    task id -> stream id of the one entry that counts
--       7 expiry  zset    task id -> the ms from which it must not start any more
--       8 counts  hash    what happened here, by name
--       9 wake    channel 'due <ms>' when a task became the earliest
-- ARGV  1 layout  string  format/partitions
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
-- ITEMS id string, when string, expires string, record string
-- REPLY ok {marks string}
--       other_layout {layout string}
--       late_call
--
-- when: '+N' in N ms, 'N' at that epoch ms. expires: '' never, '+N' that long after due, 'N' at that epoch ms.
-- A mark per item: r ready, s scheduled, d duplicate (that id lives: nothing changed), x refused, for when or expires is
-- no whole number from 0 to 9e15, record is no JSON object that begins with a key, or id no UTF-8 (nothing written).
-- The same lane and call again has no effect and gets the first reply; an older call is refused.
-- Place first, record last: a script error half-way leaves an id that can be added again, never one that is never run.
local meta, lanes, due, tasks, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local live, expiry, counts, wake = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local layout, now_ms, lane, call = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local at = redis.call('HMGET', meta, 'layout', 'paused')
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
local head = tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2] or math.huge)
-- A key of the wrong type stops us here, before the first write.
redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('HLEN', tasks) redis.call('HLEN', counts)
redis.call('ZCARD', expiry)
if not at[1] then redis.call('HSET', meta, 'layout', layout) end
local marks, added, earliest = {}, 0, math.huge
local tail = '[\128-\191]'
local characters = {'[\194-\223]' .. tail, '\224[\160-\191]' .. tail, '\237[\128-\159]' .. tail,
  '[\225-\236\238\239]' .. tail .. tail, '\240[\144-\191]' .. tail .. tail, '\244[\128-\143]' .. tail .. tail,
  '[\241-\243]' .. tail .. tail .. tail}
local function is_utf8(text)
  if not string.find(text, '[\128-\255]') then return true end
  for _, character in ipairs(characters) do text = string.gsub(text, character, ' ') end
  return not string.find(text, '[\128-\255]')
end
local created = string.format('{"c":%.0f,', now_ms)
for i = 5, #ARGV, 4 do
  local id, when, expires, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local mark, whole = 'd', '^%+?%d+$'
  if not record or string.sub(record, 1, 2) ~= '{"' or not string.find(when, whole) or tonumber(when) > 9e15
    or expires ~= '' and (not string.find(expires, whole) or tonumber(expires) > 9e15) or not is_utf8(id) then
    mark = 'x'
  elseif redis.call('HEXISTS', tasks, id) == 0 then
    local due_ms = tonumber(when)
    if string.byte(when) == 43 then due_ms = due_ms == 0 and now_ms or math.ceil(exact_ms + due_ms) end
    local due_text = string.format('%.0f', due_ms)
    if due_ms > now_ms or at[2] == '1' then
      redis.call('ZADD', due, due_text, id)
      redis.call('HDEL', live, id) -- an entry that outlived its record must not run this task early
      if due_ms < earliest then earliest = due_ms end
      mark = 's'
    else
      redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', due_text))
      mark = 'r'
    end
    if expires ~= '' then
      local expires_ms = tonumber(expires) + (string.byte(expires) == 43 and due_ms or 0)
      redis.call('ZADD', expiry, string.format('%.0f', math.min(expires_ms, 9e15)), id)
    end
    redis.call('HSET', tasks, id, created .. string.sub(record, 2))
    added = added + 1
  end
  marks[#marks + 1] = mark
end
if added > 0 then redis.call('HINCRBY', counts, 'added', added) end
if earliest < head then redis.call('PUBLISH', wake, string.format('due %.0f', earliest)) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
