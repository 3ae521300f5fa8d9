#!lua
-- schedule: write a schedule, if it is still as it was read: create, change, pause, resume, move it, or take it away.
--
-- KEYS  1 meta      hash    layout
--       2 lanes     hash    lane -> {call, at_ms, reply} of its last call
--       3 schedules hash    schedule -> its definition
--       4 cursors   hash    schedule -> how far it has come
--       5 upcoming  zset    schedule -> when it wants to be looked at
--       6 epoch     hash    {term, token} of the leader this partition accepts
--       7 wake      channel 'schedule <ms>' when it wants to be looked at earlier than all others
-- ARGV  1 layout    string
--       2 now_ms    int     0 = this server's clock
--       3 lane      string  '' = this call will not be repeated
--       4 call      int     number of this call on its lane: 1, 2, 3 ...
--       5 name      string
--       6 was_sha1  string  of the definition, a line feed and the cursor that were read; '' = there was none
--       7 definition string '' = take it away
--       8 cursor    string
--       9 look_ms   string  '' = never
--      10 term      string  '' = anybody's call; else the leader's, who moves a schedule here
--      11 token     string
-- REPLY ok
--       changed
--       stale_term {term string}
--       other_layout {layout string}
--       late_call
--
-- A compare-and-set of definition and cursor together: neither the leader's tick nor another process is written over.
local meta, lanes, schedules, cursors, upcoming, epoch, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, lane, call, name = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local was_sha1, definition, cursor, look_ms, term, token = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local stored = redis.call('HGET', meta, 'layout')
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if term ~= '' and (accepted[1] ~= term or accepted[2] ~= token) then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('ZCARD', upcoming)
local was, reply = redis.call('HGET', schedules, name), {'ok'}
local is = was and redis.sha1hex(was .. '\n' .. (redis.call('HGET', cursors, name) or '')) or ''
if is ~= was_sha1 then
  reply = {'changed'}
elseif definition == '' then
  redis.call('ZREM', upcoming, name) redis.call('HDEL', cursors, name) redis.call('HDEL', schedules, name)
else
  if not stored then redis.call('HSET', meta, 'layout', layout) end
  redis.call('HSET', cursors, name, cursor) redis.call('HSET', schedules, name, definition)
  if look_ms == '' then redis.call('ZREM', upcoming, name) else redis.call('ZADD', upcoming, look_ms, name) end
  if redis.call('ZRANGE', upcoming, 0, 0)[1] == name then redis.call('PUBLISH', wake, 'schedule ' .. look_ms) end
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
