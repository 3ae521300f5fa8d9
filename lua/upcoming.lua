#!lua flags=no-writes
-- upcoming: the schedules that want to be looked at by now, the earliest first.
--
-- KEYS  1 meta      hash  layout
--       2 schedules hash  schedule -> its definition
--       3 cursors   hash  schedule -> how far it has come
--       4 upcoming  zset  schedule -> when it wants to be looked at
-- ARGV  1 layout    string
--       2 now_ms    int     0 = this server's clock
--       3 ahead_ms  int     those too whose time comes within so long
--       4 limit     int     1..1000
--       5 bytes_max int     what is beyond this many bytes is left for the next call
-- REPLY ok {now_ms int, next_ms int?, schedules [name string, definition string, cursor string]}
--       other_layout {layout string}
--
-- next_ms: of the first schedule that is not in this reply. One without a definition is told with an empty one.
local meta, schedules, cursors, upcoming = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, now_ms, ahead_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, bytes_max = tonumber(ARGV[4]), tonumber(ARGV[5])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local names = redis.call('ZRANGE', upcoming, 0, limit, 'WITHSCORES')
local found, bytes, next_ms = {}, 0, false
for i = 1, #names, 2 do
  local look_ms = tonumber(names[i + 1])
  if look_ms > now_ms + ahead_ms or i > 2 * limit or bytes >= bytes_max then
    next_ms = math.min(math.max(0, math.ceil(look_ms)), 9e15)
    break
  end
  local definition = redis.call('HGET', schedules, names[i]) or ''
  found[#found + 1], found[#found + 2] = names[i], definition
  found[#found + 1] = redis.call('HGET', cursors, names[i]) or ''
  bytes = bytes + #definition + #found[#found]
end
return {'ok', now_ms, next_ms, found}
