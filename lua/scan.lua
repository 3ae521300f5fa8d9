#!lua flags=no-writes
-- scan: the ids and keys of the tasks here, page by page. The leader's, to find those that belong elsewhere since the queue
-- grew.
--
-- KEYS  1 meta    hash    layout
--       2 tasks   hash    task id -> record
-- ARGV  1 layout  string
--       2 cursor  string  '0' from the start, or what the last call gave
--       3 count   int     looked at, about
--       4 bytes_max int   nothing more is looked at when so many bytes were read: exceeded by a record or two
-- REPLY ok {cursor string, server string, tasks [id string, key string, record string]}
--       other_layout {layout string}
--
-- key: as it stands in the options, still in JSON; record: one that may have a key and can't be read by patterns, for whoever
-- can decode it. What is there during all of a pass, from '0' to '0', is in it, if the server was one and the same: a cursor
-- means nothing to another, nor to this one after a restart. server: its run_id, where the user may ask for that.
-- The options are found behind the payload, for a payload may look just like them.
local meta, tasks = KEYS[1], KEYS[2]
local layout, cursor, count, bytes_max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout then return {'other_layout', stored or ''} end
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local page, bytes = {}, 0
local function crossed(text) return '"' .. string.rep('x', #text) .. '"' end
-- Braces in texts would deceive %b: they are crossed out. With an escape in it nobody can tell where a text ends.
local function key_in(record)
  local bare = not string.find(record, '\\', 1, true) and string.gsub(record, '"([^"]*)"', crossed) or ''
  for _, payload in ipairs({'%b{}', '%b[]', '[^%[{,]+'}) do
    local options = string.match(bare, '^%[%d+,"x*",' .. payload .. ',(){[^{}]*}%]$')
    if options then return string.match(record, '[{,]"k":("[^"%c]*")', options) or '' end
  end
  return ''
end
for _ = 1, count do
  local found = redis.call('HSCAN', tasks, cursor, 'COUNT', 1)
  cursor = found[1]
  for i = 1, #found[2], 2 do
    local record = found[2][i + 1]
    local has_k = string.find(record, '"k"', 1, true)
    local key = has_k and key_in(record) or ''
    bytes = bytes + #record
    page[#page + 1], page[#page + 2] = found[2][i], key
    page[#page + 1] = has_k and key == '' and record or ''
  end
  if cursor == '0' or bytes >= bytes_max or #page >= 3 * count then break end
end
return {'ok', cursor, server, page}
