#!lua flags=no-writes
-- list: the ids of the tasks in one state, in pages.
--
-- KEYS  1 meta    hash    layout
--       2 due     zset    task id -> due ms
--       3 stream  stream  {id, due}
--       4 live    hash    task id -> stream id of the one entry that counts
-- ARGV  1 layout  string
--       2 state   string  scheduled, ready or active
--       3 after   string  '' from the start, or what the last call gave
--       4 limit   int     1..1000
-- REPLY ok {ids string[], after string}
--       other_layout {layout string}
--
-- scheduled: by due time, then id; after is 'score id' of the last one, found again by binary search, so that a page
-- neither skips nor repeats what stays, however many share one due time. ready, active: by stream id. after '' = the end.
-- Ids are compared byte by byte, as the sorted set does: Lua's own <= goes by the server's locale.
local meta, due, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, state, after, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local ids = {}
if state == 'scheduled' then
  local from, score, last_id = 0, string.match(after, '^(%S+) (.*)$')
  if score then
    local low, high = redis.call('ZCOUNT', due, '-inf', '(' .. score), redis.call('ZCOUNT', due, '-inf', score)
    while low < high do
      local middle, at = math.floor((low + high) / 2), 1
      local id = redis.call('ZRANGE', due, middle, middle)[1]
      while at <= #id and string.byte(id, at) == string.byte(last_id, at) do at = at + 1 end
      if (string.byte(id, at) or -1) <= (string.byte(last_id, at) or -1) then low = middle + 1 else high = middle end
    end
    from = low
  end
  local found = redis.call('ZRANGE', due, from, from + limit - 1, 'WITHSCORES')
  for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
  return {'ok', ids, #ids == limit and found[#found] .. ' ' .. found[#found - 1] or ''}
end
local group = redis.pcall('XINFO', 'GROUPS', stream)
local delivered = '0-0'
for _, one in ipairs(group) do
  for i = 1, #one, 2 do if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end end
end
local entries, last = {}, nil
if state == 'ready' then
  entries = redis.call('XRANGE', stream, '(' .. (after ~= '' and after or delivered), '+', 'COUNT', limit)
else
  local pending = redis.pcall('XPENDING', stream, 'workers', after ~= '' and '(' .. after or '-', '+', limit)
  for _, one in ipairs(pending) do
    last = one[1]
    entries[#entries + 1] = redis.call('XRANGE', stream, last, last)[1]
  end
  if #pending < limit then last = nil end
end
for _, entry in ipairs(entries) do
  if redis.call('HGET', live, entry[2][2]) == entry[1] then ids[#ids + 1] = entry[2][2] end
  if state == 'ready' and #entries == limit then last = entry[1] end
end
return {'ok', ids, last or ''}
