#!lua flags=allow-oom
-- open: make deliveries startable: the last look before a handler runs. A consumer's, right behind a blocking read.
--
-- KEYS  1 meta    hash    layout, paused, group
--       2 due     zset    task id -> due ms
--       3 stream  stream  {id, due}
--       4 live    hash    task id -> stream id of the one entry that counts
--       5 tasks   hash    task id -> record
--       6 runs    hash    task id -> attempt and errors
--       7 expiry  zset    task id -> the ms from which it must not start any more
--       8 ended   stream  the cancelled and expired
--       9 past    hash    task id -> state:number of its newest end that is kept
--      10 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 consumer string
--       4 group   string  the number of the group it joined; '' = any
--       5 bytes_max int   records beyond this many bytes are left to the next open
--       6 after   string  '' = the items; else, without items, what its consumer has read beyond this entry
-- ITEMS entry string, id string, due_ms int
-- REPLY ok {now_ms int, deliveries [entry string, id string, due_ms int, record string, run string?], unopened [entry string, id string, due_ms int], expired [id string, name string], stale int, put_back int}
--       other_layout {layout string}
--
-- Opened: pending with this consumer, delivered once, live[id] is the entry, not expired, queue not paused. It resets the
-- idle time, so the lease runs from here. In a paused queue, or when it was read under a name of a group that is no more,
-- an entry goes back to the schedule, unstarted. With `after` it is sent right behind the read, and the lease runs from that.
local meta, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local runs, expiry, ended, past, counts = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local layout, now_ms, consumer, group = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local bytes_max, after = tonumber(ARGV[5]), ARGV[6]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'group')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local goes_back = at[2] == '1' or group ~= '' and (at[3] or '0') ~= group
redis.call('XLEN', stream) redis.call('ZCARD', due) redis.call('HLEN', counts)
local any_ran, any_expire = redis.call('HLEN', runs) > 0, redis.call('ZCARD', expiry) > 0
if any_expire then redis.call('XLEN', ended) redis.call('HLEN', past) end
local items, held = {unpack(ARGV, 7)}, {}
local from, to = after ~= '' and '(' .. after or items[1], after ~= '' and '+' or items[#items - 2]
for _, one in ipairs(redis.pcall('XPENDING', stream, 'workers', from, to, 1000, consumer)) do
  held[one[1]] = one[4]
  local read = after ~= '' and one[4] == 1 and redis.call('XRANGE', stream, one[1], one[1])[1]
  if read then for _, value in ipairs({read[1], read[2][2], read[2][4] or 0}) do items[#items + 1] = value end end
end
local ends, opened, deliveries, unopened, expired, bytes, stale, put_back = {}, {}, {}, {}, {}, 0, 0, 0
for i = 1, #items, 3 do
  local number, id, due_ms = items[i], items[i + 1], items[i + 2]
  if held[number] == 1 then
    local good, full = redis.call('HGET', live, id) == number, bytes >= bytes_max
    local record = good and not full and redis.call('HGET', tasks, id)
    if record then bytes = bytes + #record end
    local expires_ms = tonumber(any_expire and redis.call('ZSCORE', expiry, id) or math.huge)
    if good and full then
      unopened[#unopened + 1] = number unopened[#unopened + 1] = id unopened[#unopened + 1] = due_ms
    elseif not record or goes_back or expires_ms <= now_ms then
      if good then redis.call('HDEL', live, id) end
      ends[#ends + 1] = number
      if not record then
        if good then redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) end
        stale = stale + 1
      elseif goes_back then
        redis.call('ZADD', due, due_ms, id)
        put_back = put_back + 1
      else
        local name = string.match(record, '^%[%d+,"([^"\\]*)"') or ''
        local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'expired', 'name', name, 'at', now_ms, 'entry', number)
        redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
        redis.call('HSET', past, id, 'expired:' .. e .. ':' .. number)
        expired[#expired + 1] = id expired[#expired + 1] = name
      end
    else
      opened[#opened + 1] = number
      local n = #deliveries
      deliveries[n + 1], deliveries[n + 2], deliveries[n + 3] = number, id, due_ms
      deliveries[n + 4], deliveries[n + 5] = record, any_ran and redis.call('HGET', runs, id)
    end
  end
end
if #opened > 0 and after == '' then -- what was read just now is idle for no time
  opened[#opened + 1] = 'JUSTID'
  redis.call('XCLAIM', stream, 'workers', consumer, 0, unpack(opened))
end
if #ends > 0 then
  redis.call('XACK', stream, 'workers', unpack(ends))
  redis.call('XDEL', stream, unpack(ends))
  if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
  if #expired > 0 then redis.call('HINCRBY', counts, 'expired', #expired / 2) end
end
return {'ok', now_ms, deliveries, unopened, expired, stale, put_back}
