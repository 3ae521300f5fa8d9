#!lua flags=allow-oom
-- bury: end deliveries whose tasks are given up: each becomes a dead letter. Only for the consumer that holds them.
--
-- KEYS  1 meta    hash    layout, audit
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 tasks   hash    task id -> record
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 runs    hash    task id -> attempt and errors
--       7 expiry  zset    task id -> the ms from which it must not start any more
--       8 dead    stream  the dead letters; a letter's number is its stream id
--       9 past    hash    task id -> state:number of its newest end that is kept
--      10 counts  hash    what happened here, by name
--      11 audit   stream  while a campaign looks on: what ended, and by whom
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 consumer string the name these deliveries were read under
-- ITEMS entry string, count int, id string, reason string, run string
-- REPLY ok {marks string}
--       other_layout {layout string}
--       late_call
--
-- run: what the failures were, as TypeScript wrote it.
-- Refused unless consumer, delivery count and live[id] are all as given. A mark per item: o settled, l lost, c cancelled.
-- Letter first, entry last: what is torn leaves an entry without a record, which is stale, never a task without an end.
local meta, lanes, tasks, stream, live, runs = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, dead, past, counts, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local layout, now_ms, lane, call, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('HLEN', tasks) redis.call('HLEN', live) redis.call('HLEN', runs)
redis.call('ZCARD', expiry) redis.call('XLEN', dead) redis.call('HLEN', past) redis.call('HLEN', counts)
local marks, settled, stale = {}, 0, 0
for i = 6, #ARGV, 5 do
  local entry, count, id, reason, run = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local mark, has_ended = 'l', false
  local one = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1] -- nil without a group
  if not one or one[4] ~= count then
    local last = redis.call('HGET', past, id)
    if last and string.match(last, '^cancelled:[^:]*:(.*)$') == entry then mark = 'c' end
  elseif redis.call('HGET', live, id) == entry then
    local record = redis.call('HGET', tasks, id) or ''
    local letter = redis.call('XADD', dead, '*', 'id', id, 'reason', reason, 'run', run, 'at', now_ms, 'record', record)
    redis.call('HSET', past, id, 'dead:' .. letter .. ':' .. entry)
    redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) redis.call('HDEL', live, id)
    if at[2] == '1' then redis.call('XADD', audit, '*', 'op', 'bury', 'id', id, 'of', entry, 'count', count, 'by', consumer) end
    mark, has_ended, settled = 'o', true, settled + 1
  else -- stale, unless its number was reissued
    local found = redis.call('XRANGE', stream, entry, entry)[1]
    if not found or found[2][2] == id then has_ended, stale = true, stale + 1 end
  end
  if has_ended then redis.call('XACK', stream, 'workers', entry) redis.call('XDEL', stream, entry) end
  marks[#marks + 1] = mark
end
if settled > 0 then redis.call('HINCRBY', counts, 'bury', settled) end
if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
