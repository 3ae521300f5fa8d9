#!lua
-- update: replace a task's record, if it is still the one that was read. Counts from the next delivery.
--
-- KEYS  1 meta    hash    layout, paused
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 tasks   hash    task id -> record
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 id      string
--       6 was_sha1 string of the record that was read
--       7 record  string
-- REPLY ok
--       changed
--       not_found
--       other_layout {layout string}
--       late_call
--
-- A compare-and-set of whole strings: scripts never decode and encode a record (cjson spoils long numbers and empty lists).
local meta, lanes, tasks = KEYS[1], KEYS[2], KEYS[3]
local layout, now_ms, lane, call, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local was_sha1, record = ARGV[6], ARGV[7]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local record_now, reply = redis.call('HGET', tasks, id), nil
if not record_now then
  reply = {'not_found'}
elseif redis.sha1hex(record_now) ~= was_sha1 then
  reply = {'changed'}
else
  redis.call('HSET', tasks, id, record)
  reply = {'ok'}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
