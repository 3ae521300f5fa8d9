#!lua flags=allow-oom
-- age: forget what was kept long enough: ended tasks, dead letters, silent lanes. Leader only.
--
-- KEYS  1 meta    hash    layout
--       2 epoch   hash    {term, token} of the leader this partition accepts
--       3 ended   stream  the cancelled and expired
--       4 dead    stream  the dead letters
--       5 past    hash    task id -> state:number of its newest end that is kept
--       6 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       7 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 term    string
--       4 token   string
--       5 ended_age_ms int
--       6 ended_max int   more than this: the oldest go
--       7 dead_age_ms int
--       8 lane_age_ms int longer than any call is repeated
--       9 cursor  string  of the lanes: '0' from the start, or what the last call gave
--      10 limit   int     how many of each are looked at
--      11 bytes_max int  dead letters of more bytes than this are left to the next call
-- REPLY ok {aged int, cursor string}
--       stale_term {term string}
--       other_layout {layout string}
--
-- The index goes with the entry it points to, and only then: a newer end of the same id stays findable.
local meta, epoch, ended, dead, past, lanes, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local ended_age_ms, ended_max, dead_age_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local lane_age_ms, cursor, limit, bytes_max = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', dead) redis.call('HLEN', past) redis.call('HLEN', lanes) redis.call('HLEN', counts)
local function forget(stream, age_ms, keep_max, what)
  local over, aged, bytes = redis.call('XLEN', stream) - keep_max, 0, 0
  while aged < limit and bytes < bytes_max do
    local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1] -- one at a time: a letter may be large
    if not entry then break end
    local at_ms, id = 0, entry[2][2]
    for i = 1, #entry[2], 2 do if entry[2][i] == 'at' then at_ms = tonumber(entry[2][i + 1]) end end
    if now_ms - at_ms <= age_ms and aged >= over then break end
    local index = redis.call('HGET', past, id)
    if index and string.find(index, ':' .. entry[1] .. ':', 1, true) then redis.call('HDEL', past, id) end
    redis.call('XDEL', stream, entry[1])
    aged, bytes = aged + 1, bytes + #entry[2][#entry[2]]
  end
  if aged > 0 then redis.call('HINCRBY', counts, what, aged) end
  return aged
end
local aged = forget(ended, ended_age_ms, ended_max, 'ended_aged') + forget(dead, dead_age_ms, math.huge, 'dead_aged')
local found = redis.call('HSCAN', lanes, cursor, 'COUNT', limit)
for i = 1, #found[2], 2 do
  local last = cmsgpack.unpack(found[2][i + 1])
  if now_ms - last[2] > lane_age_ms then redis.call('HDEL', lanes, found[2][i]) end
end
return {'ok', aged, found[1]}
