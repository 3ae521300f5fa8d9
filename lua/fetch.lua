#!lua flags=allow-oom
-- fetch: read ready entries for a consumer and open them, in one step. For a backlog; a lone task comes by open.
--
-- KEYS  1 meta    hash    layout, paused
--       2 stream  stream  {id, due}
--       3 live    hash    task id -> stream id of the one entry that counts
--       4 tasks   hash    task id -> record
--       5 runs    hash    task id -> attempt and errors
--       6 expiry  zset    task id -> the ms from which it must not start any more
--       7 ended   stream  the cancelled and expired
--       8 past    hash    task id -> state:number of its newest end that is kept
--       9 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 consumer string
--       4 count   int     the consumer's free slots, 1..1000: more would starve the others
--       5 bytes_max int   records beyond this many bytes are left to open
-- REPLY ok {now_ms int, deliveries [entry string, id string, due_ms int, record string, run string?], unopened [entry string, id string, due_ms int], expired [id string, name string], stale int}
--       paused
--       no_group
--       other_layout {layout string}
--
-- An entry is good only while live[id] is its own stream id; any other is stale: it is ended here, and counted.
local meta, stream, live, tasks, runs = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local expiry, ended, past, counts = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local layout, now_ms, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local count, bytes_max = tonumber(ARGV[4]), tonumber(ARGV[5])
local at = redis.call('HMGET', meta, 'layout', 'paused')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
if at[2] == '1' then return {'paused'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', live) redis.call('HLEN', tasks) redis.call('HLEN', runs) redis.call('ZCARD', expiry)
redis.call('XLEN', ended) redis.call('HLEN', past) redis.call('HLEN', counts)
local read = redis.pcall('XREADGROUP', 'GROUP', 'workers', consumer, 'COUNT', count, 'STREAMS', stream, '>')
if read and read.err then
  if string.sub(read.err, 1, 7) == 'NOGROUP' then return {'no_group'} end
  return read
end
if not read then return {'ok', now_ms, {}, {}, {}, 0} end
local entries, ids, ends, deliveries, unopened, expired, bytes, stale = read[1][2], {}, {}, {}, {}, {}, 0, 0
for i, entry in ipairs(entries) do ids[i] = entry[2][2] end
local lives, expiries = redis.call('HMGET', live, unpack(ids)), redis.call('ZMSCORE', expiry, unpack(ids))
local ran = redis.call('EXISTS', runs) == 1 and redis.call('HMGET', runs, unpack(ids)) or {}
for i, entry in ipairs(entries) do
  local number, id, due_ms = entry[1], ids[i], entry[2][4]
  local good, full = lives[i] == number, bytes >= bytes_max
  local record = good and not full and redis.call('HGET', tasks, id)
  if record then bytes = bytes + #record end
  if good and full then
    unopened[#unopened + 1] = number unopened[#unopened + 1] = id unopened[#unopened + 1] = due_ms
  elseif not record then
    if good then redis.call('HDEL', live, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) end
    ends[#ends + 1] = number
    stale = stale + 1
  elseif expiries[i] and tonumber(expiries[i]) <= now_ms then
    local name = string.match(record, '^{"c":%d+,"n":"([^"\\]*)"') or ''
    local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'expired', 'name', name, 'at', now_ms, 'entry', number)
    redis.call('HSET', past, id, 'expired:' .. e .. ':' .. number)
    redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
    redis.call('HDEL', live, id)
    ends[#ends + 1] = number
    expired[#expired + 1] = id expired[#expired + 1] = name
  else
    local n = #deliveries
    deliveries[n + 1], deliveries[n + 2], deliveries[n + 3] = number, id, due_ms
    deliveries[n + 4], deliveries[n + 5] = record, ran[i] or false
  end
end
if #ends > 0 then
  redis.call('XACK', stream, 'workers', unpack(ends))
  redis.call('XDEL', stream, unpack(ends))
  if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
  if #expired > 0 then redis.call('HINCRBY', counts, 'expired', #expired / 2) end
end
return {'ok', now_ms, deliveries, unopened, expired, stale}
