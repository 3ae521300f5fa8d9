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
-- no whole number from 0 to 9e15, record is no JSON array that begins with a name, or id no UTF-8 (nothing written).
-- The same lane and call again has no effect and gets the first reply, though the queue has grown since; an older is refused.
-- Place first, record last: a script error half-way leaves an id that can be added again, never one that is never run.
-- An entry in live that outlived its record must not run a scheduled task of that id early: hence HDEL.
local meta, lanes, due, tasks, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local live, expiry, counts, wake = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local layout, now_ms, lane, call = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local at = redis.call('HMGET', meta, 'layout', 'paused')
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if at[1] ~= layout and (at[1] or string.find(layout, '<', 1, true)) then return {'other_layout', at[1] or ''} end
local time = redis.call('TIME')
local exact_ms = now_ms > 0 and now_ms or time[1] * 1000 + time[2] / 1000
now_ms = math.floor(exact_ms)
local function is_utf8(text)
  if string.find(text, '^[^\128-\255]*$') then return true end
  local tail = '[\128-\191]'
  for _, character in ipairs({'[\194-\223]' .. tail, '\224[\160-\191]' .. tail, '\237[\128-\159]' .. tail,
    '[\225-\236\238\239]' .. tail .. tail, '\240[\144-\191]' .. tail .. tail, '\244[\128-\143]' .. tail .. tail,
    '[\241-\243]' .. tail .. tail .. tail}) do text = string.gsub(text, character, ' ') end
  return not string.find(text, '[\128-\255]')
end
local marks, later, ids, ready, ends, records, fresh, earliest, head = {}, {}, {}, {}, {}, {}, {}, math.huge, 0
local now_text = string.format('%.0f', now_ms) local created = '[' .. now_text .. ','
for i = 5, #ARGV, 4 do
  local id, when, expires, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local mark, whole = 'd', '^%+?%d+$'
  if not record or string.sub(record, 1, 2) ~= '["' or when ~= '+0' and (not string.find(when, whole) or tonumber(when) > 9e15)
    or expires ~= '' and (not string.find(expires, whole) or tonumber(expires) > 9e15) or not is_utf8(id) then
    mark = 'x'
  elseif not fresh[id] and redis.call('HEXISTS', tasks, id) == 0 then
    local due_ms = when == '+0' and now_ms or tonumber(when)
    if string.byte(when) == 43 and when ~= '+0' then due_ms = due_ms == 0 and now_ms or math.ceil(exact_ms + due_ms) end
    local due_text = due_ms == now_ms and now_text or string.format('%.0f', due_ms)
    if due_ms > now_ms or at[2] == '1' then
      mark, later[#later + 1], later[#later + 2], ids[#ids + 1] = 's', due_text, id, id
      earliest = math.min(earliest, due_ms)
    else
      mark, ready[#ready + 1], ready[#ready + 2] = 'r', id, due_text
    end
    if expires ~= '' then
      local expires_ms = tonumber(expires) + (string.byte(expires) == 43 and due_ms or 0)
      ends[#ends + 1], ends[#ends + 2] = string.format('%.0f', math.min(expires_ms, 9e15)), id
    end
    fresh[id], records[#records + 1], records[#records + 2] = true, id, created .. string.sub(record, 2)
  end
  marks[#marks + 1] = mark
end
-- A key of the wrong type stops us here, before the first write; where that is XADD it looks at the stream by itself.
redis.call('HLEN', counts) redis.call('HLEN', live) if #ready == 0 or not at[1] then redis.call('XLEN', stream) end
if #ends > 0 then redis.call('ZCARD', expiry) end
if #later > 0 then head = tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2] or math.huge) end
if not at[1] then redis.call('HSET', meta, 'layout', layout) end
for i = 1, #ready, 2 do ready[i + 1] = redis.call('XADD', stream, '*', 'id', ready[i], 'due', ready[i + 1]) end
local function write(command, key, list)
  for i = 1, #list, 1000 do redis.call(command, key, unpack(list, i, math.min(i + 999, #list))) end
end
write('HSET', live, ready) write('ZADD', due, later) write('HDEL', live, ids) write('ZADD', expiry, ends) write('HSET', tasks, records)
if #records > 0 then redis.call('HINCRBY', counts, 'added', #records / 2) end
if earliest < head then redis.call('PUBLISH', wake, string.format('due %.0f', earliest)) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
