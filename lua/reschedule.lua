#!lua flags=allow-oom
-- reschedule: give a waiting task another due time. One at work is refused.
--
-- KEYS  1 meta    hash    layout, paused
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 due     zset    task id -> due ms
--       4 tasks   hash    task id -> record
--       5 stream  stream  {id, due}
--       6 live    hash    task id -> stream id of the one entry that counts
--       7 past    hash    task id -> state:number of its newest end that is kept
--       8 wake    channel what waits is told here
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 id      string
--       6 when    string  '+N' in N ms, 'N' at that epoch ms
-- REPLY ok {due_ms int}
--       active
--       not_found
--       settled {state string}
--       other_layout {layout string}
--       late_call
--
-- A ready task's entry is ended here: else it would start early, and again when it is promoted.
-- Due already: it waits in the schedule until the leader, woken at once, promotes it.
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local past, wake = KEYS[7], KEYS[8]
local layout, now_ms, lane, call, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local when = ARGV[6]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
local exact_ms = now_ms > 0 and now_ms or time[1] * 1000 + time[2] / 1000
now_ms = math.floor(exact_ms)
redis.call('XLEN', stream)
local entry, reply = redis.call('HGET', live, id), nil
local owned = entry and redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
if redis.call('HEXISTS', tasks, id) == 0 then
  local last = redis.call('HGET', past, id)
  reply = last and {'settled', string.match(last, '^%a+')} or {'not_found'}
elseif owned and owned[1] then
  reply = {'active'}
else
  local due_ms = tonumber(when)
  if string.byte(when) == 43 then due_ms = math.ceil(exact_ms + due_ms) end
  redis.call('ZADD', due, string.format('%.0f', due_ms), id)
  if entry then
    redis.call('HDEL', live, id)
    redis.call('XDEL', stream, entry)
  end
  local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if head[1] == id then redis.call('PUBLISH', wake, 'due ' .. head[2]) end
  reply = {'ok', due_ms}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
