#!lua flags=no-writes
-- scan: the ids of the tasks here, page by page. The leader's, to find those that belong elsewhere since the queue grew.
--
-- KEYS  1 meta    hash    layout
--       2 tasks   hash    task id -> record
-- ARGV  1 layout  string
--       2 cursor  string  '0' from the start, or what the last call gave
--       3 count   int     looked at, about
--       4 bytes_max int   nothing more is looked at when so many bytes were read: exceeded by ten records at most
-- REPLY ok {cursor string, tasks [id string, record string]}
--       other_layout {layout string}
--
-- The record comes along only where it may name a key. What is there during all of a pass, from '0' to '0', is in it.
local meta, tasks = KEYS[1], KEYS[2]
local layout, cursor, count, bytes_max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout then return {'other_layout', stored or ''} end
local page, bytes = {}, 0
for _ = 1, math.ceil(count / 10) do
  local found = redis.call('HSCAN', tasks, cursor, 'COUNT', math.min(10, count))
  cursor = found[1]
  for i = 1, #found[2], 2 do
    local record = found[2][i + 1]
    bytes = bytes + #record
    page[#page + 1], page[#page + 2] = found[2][i], string.find(record, '"k"', 1, true) and record or ''
  end
  if cursor == '0' or bytes >= bytes_max then break end
end
return {'ok', cursor, page}
