#!lua flags=allow-oom
-- cancel: end a task, in whatever state it is. A handler at work is told by its consumer's next beat, or by the channel.
--
-- KEYS  1 meta    hash    layout, paused
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 due     zset    task id -> due ms
--       4 tasks   hash    task id -> record
--       5 stream  stream  {id, due}
--       6 live    hash    task id -> stream id of the one entry that counts
--       7 runs    hash    task id -> attempt and errors
--       8 expiry  zset    task id -> the ms from which it must not start any more
--       9 ended   stream  the cancelled and expired
--      10 past    hash    task id -> state:number of its newest end that is kept
--      11 counts  hash    what happened here, by name
--      12 wake    channel what waits is told here
--      13 epoch   hash    {term, token} of the leader this partition accepts
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 id      string
--       6 term    string  '' = anybody's call; else the leader's, by a schedule's policy
--       7 token   string
-- REPLY ok {was string, name string}
--       not_found
--       settled {state string}
--       stale_term {term string}
--       other_layout {layout string}
--       late_call
--
-- was: scheduled, ready or active. settled: nothing to cancel, that id's newest end is this. One script: the entry is ended
-- with the record, so that an owner that settles later is refused, and a re-added id is another task.
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local runs, expiry, ended, past, counts, wake, epoch = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms, lane, call, id, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if term ~= '' then
  local accepted = redis.call('HMGET', epoch, 'term', 'token')
  if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', runs) redis.call('ZCARD', expiry) redis.call('ZCARD', due) redis.call('XLEN', stream)
redis.call('XLEN', ended) redis.call('HLEN', past) redis.call('HLEN', counts)
local record, entry, reply = redis.call('HGET', tasks, id), redis.call('HGET', live, id), nil
if not record then
  local last = redis.call('HGET', past, id)
  reply = last and {'settled', string.match(last, '^%a+')} or {'not_found'}
else
  local was = 'scheduled'
  if entry then
    local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
    was = owned[1] and 'active' or 'ready'
  end
  local name = string.match(string.sub(record, 1, 4096), '^%[%d+,"([^"\\]*)"') or ''
  local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'cancelled', 'name', name, 'at', now_ms, 'entry', entry or '')
  redis.call('HSET', past, id, 'cancelled:' .. e .. ':' .. (entry or ''))
  redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
  redis.call('ZREM', due, id) redis.call('HDEL', live, id)
  if entry then
    redis.pcall('XACK', stream, 'workers', entry) -- there may be no group yet
    redis.call('XDEL', stream, entry)
  end
  redis.call('HINCRBY', counts, 'cancelled', 1)
  if was == 'active' then redis.call('PUBLISH', wake, 'cancelled ' .. id) end
  reply = {'ok', was, name}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
