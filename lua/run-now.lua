#!lua flags=allow-oom
-- run-now: promote one scheduled task at once.
--
-- KEYS  1 meta    hash    layout, paused, waits
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 due     zset    task id -> due ms
--       4 tasks   hash    task id -> record
--       5 stream  stream  {id, due}
--       6 live    hash    task id -> stream id of the one entry that counts
--       7 past    hash    task id -> state:number of its newest end that is kept
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 id      string
-- REPLY ok {was string}
--       paused
--       waiting
--       not_found
--       settled {state string}
--       other_layout {layout string}
--       late_call
--
-- was: scheduled, and it is ready now; ready or active: there was nothing to do. waiting: new since the queue grew (grow.lua).
-- XADD, live, then ZREM, as promote does.
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local past = KEYS[7]
local layout, now_ms, lane, call, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('ZCARD', due)
local entry, reply = redis.call('HGET', live, id), nil
if redis.call('HEXISTS', tasks, id) == 0 then
  local last = redis.call('HGET', past, id)
  reply = last and {'settled', string.match(last, '^%a+')} or {'not_found'}
elseif entry then
  local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
  reply = {'ok', owned[1] and 'active' or 'ready'}
elseif at[2] == '1' and at[3] == '0' then
  reply = {'waiting'}
elseif at[2] == '1' then
  reply = {'paused'}
else
  redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', string.format('%.0f', now_ms)))
  redis.call('ZREM', due, id)
  reply = {'ok', 'scheduled'}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
