#!lua flags=allow-oom
-- expire: end tasks that were not started in time, wherever they wait. Leader only.
--
-- KEYS  1 meta    hash    layout
--       2 epoch   hash    {term, token} of the leader this partition accepts
--       3 due     zset    task id -> due ms
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 tasks   hash    task id -> record
--       7 runs    hash    task id -> attempt and errors
--       8 expiry  zset    task id -> the ms from which it must not start any more
--       9 ended   stream  the cancelled and expired
--      10 past    hash    task id -> state:number of its newest end that is kept
--      11 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 term    string
--       4 token   string
--       5 skip    int     pending ones met by the calls before this one
--       6 limit   int     1..1000
-- REPLY ok {looked int, pending int, expired [id string, name string]}
--       stale_term {term string}
--       other_layout {layout string}
--
-- Not while pending: its handler is at work, and what is done must not be counted as expired.
local meta, epoch, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local runs, expiry, ended, past, counts = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local skip, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('XLEN', ended) redis.call('HLEN', live) redis.call('HLEN', tasks)
redis.call('HLEN', runs) redis.call('HLEN', past) redis.call('HLEN', counts) redis.call('ZCARD', due)
local ids = redis.call('ZRANGE', expiry, '-inf', string.format('%.0f', now_ms), 'BYSCORE', 'LIMIT', skip, limit)
local pending, expired = 0, {}
for _, id in ipairs(ids) do
  local entry = redis.call('HGET', live, id)
  local owned = entry and redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
  if owned and owned[1] then
    pending = pending + 1
  else
    local size = redis.call('HSTRLEN', tasks, id)
    if size > 0 then
      local name = size < 4096 and string.match(redis.call('HGET', tasks, id), '^%[%d+,"([^"\\]*)"') or ''
      local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'expired', 'name', name, 'at', now_ms, 'entry', entry or '')
      redis.call('HSET', past, id, 'expired:' .. e .. ':' .. (entry or ''))
      expired[#expired + 1] = id
      expired[#expired + 1] = name
    end
    redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
    redis.call('ZREM', due, id) redis.call('HDEL', live, id)
    if entry then redis.call('XDEL', stream, entry) end
  end
end
if #expired > 0 then redis.call('HINCRBY', counts, 'expired', #expired / 2) end
return {'ok', #ids, pending, expired}
