#!lua
-- replay: make a dead letter a task again, due now, at its first attempt.
--
-- KEYS  1 meta    hash    layout, paused
--       2 lanes   hash    lane -> {call, at_ms, reply} of its last call
--       3 due     zset    task id -> due ms
--       4 tasks   hash    task id -> record
--       5 stream  stream  {id, due}
--       6 live    hash    task id -> stream id of the one entry that counts
--       7 dead    stream  the dead letters; a letter's number is its stream id
--       8 past    hash    task id -> state:number of its newest end that is kept
--       9 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 number  string  of the letter
-- REPLY ok {id string}
--       conflict {id string}
--       not_found
--       other_layout {layout string}
--       late_call
--
-- One script, so that the letter is gone exactly when the task is back. conflict: that id lives anew; the letter stays.
-- Place, then record, then the letter goes. The same lane and call again gets the first reply, though the queue has grown.
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local dead, past, counts = KEYS[7], KEYS[8], KEYS[9]
local layout, now_ms, lane, call, number = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'paused')
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('ZCARD', due) redis.call('XLEN', stream) redis.call('HLEN', live)
redis.call('HLEN', tasks) redis.call('HLEN', past) redis.call('HLEN', counts)
local letter = redis.call('XRANGE', dead, number, number)[1]
local id, record = letter and letter[2][2], letter and letter[2][#letter[2]]
local reply
if not letter or record == '' then
  reply = {'not_found'}
elseif redis.call('HEXISTS', tasks, id) == 1 then
  reply = {'conflict', id}
else
  local due_text = string.format('%.0f', now_ms)
  if at[2] == '1' then
    redis.call('ZADD', due, due_text, id)
  else
    redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', due_text))
  end
  redis.call('HSET', tasks, id, record)
  redis.call('XDEL', dead, letter[1])
  local index = redis.call('HGET', past, id)
  if index and string.find(index, ':' .. letter[1] .. ':', 1, true) then redis.call('HDEL', past, id) end
  redis.call('HINCRBY', counts, 'replayed', 1)
  reply = {'ok', id}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
