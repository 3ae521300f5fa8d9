#!lua flags=no-writes
-- schedules: one schedule, or a page of them in no order.
--
-- KEYS  1 meta      hash    layout
--       2 schedules hash    schedule -> its definition
--       3 cursors   hash    schedule -> how far it has come
--       4 upcoming  zset    schedule -> when it wants to be looked at
-- ARGV  1 layout    string
--       2 now_ms    int     0 = this server's clock
--       3 name      string  '' = a page
--       4 position  string  of the page before; '0' at first
--       5 count     int     about so many, 1..1000
-- REPLY ok {now_ms int, next string, schedules [name string, definition string, cursor string, look_ms string]}
--       other_layout {layout string}
--
-- look_ms: '' = never. next: the position of the next page, '0' when there is none. A schedule that is made or taken away meanwhile may be missed.
local meta, schedules, cursors, upcoming = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, now_ms, name, position, count = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local found, next, page = {}, '0', {}
if name == '' then
  local scanned = redis.call('HSCAN', schedules, position, 'COUNT', count)
  next, page = scanned[1], scanned[2]
else
  local definition = redis.call('HGET', schedules, name)
  if definition then page = {name, definition} end
end
for i = 1, #page, 2 do
  found[#found + 1], found[#found + 2] = page[i], page[i + 1]
  found[#found + 1] = redis.call('HGET', cursors, page[i]) or ''
  found[#found + 1] = redis.call('ZSCORE', upcoming, page[i]) or ''
end
return {'ok', now_ms, next, found}
