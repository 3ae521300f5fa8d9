#!lua flags=allow-oom
-- promote: move due tasks from the schedule to the stream. The leader's; without a term, anybody's when it is overdue.
--
-- KEYS  1 meta    hash    layout, paused, audit
--       2 epoch   hash    {term, token} of the leader this partition accepts, and its last sign of life
--       3 due     zset    task id -> due ms
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 tasks   hash    task id -> record
--       7 runs    hash    task id -> attempt and errors, of tasks that failed once
--       8 expiry  zset    task id -> the ms from which it must not start any more
--       9 ended   stream  the cancelled and expired
--      10 past    hash    task id -> state:number of its newest end that is kept
--      11 counts  hash    what happened here, by name
--      12 audit   stream  while a campaign looks on: who moved what, and whose write was refused
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 term    string  '' = without a term: only when the head is overdue by overdue_ms
--       4 token   string
--       5 overdue_ms int
--       6 limit   int     1..1000
-- REPLY ok {promoted int, next_due_ms int?, now_ms int, lag_ms int, dropped int, expired [id string, name string]}
--       stale_term {term string}
--       paused {now_ms int}
--       other_layout {layout string}
--
-- XADD, then live, then ZREM, in one script: no way loses the task. A member whose id is already live, or that has
-- no record, is only removed and counted: it would run twice, or wedge the head. A score that others wrote may be
-- anything: it is early or late, and no more, for what is told of it is a whole number from 0 to 9e15.
local meta, epoch, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local runs, expiry, ended, past, counts, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local overdue_ms, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local at = redis.call('HMGET', meta, 'layout', 'paused', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('ZCARD', due) redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('HLEN', tasks)
redis.call('HLEN', runs) redis.call('XLEN', ended) redis.call('HLEN', past) redis.call('HLEN', counts)
local any_expire = redis.call('ZCARD', expiry) > 0
local before_ms = now_ms - overdue_ms
if term ~= '' then
  local accepted = redis.call('HMGET', epoch, 'term', 'token')
  if accepted[1] ~= term or accepted[2] ~= token then
    if at[3] == '1' then redis.call('XADD', audit, '*', 'op', 'refused', 'term', term) end
    return {'stale_term', accepted[1] or '0'}
  end
  redis.call('HSET', epoch, 'seen_ms', string.format('%.0f', now_ms))
  before_ms = now_ms
end
if at[2] == '1' then return {'paused', now_ms} end

local function sane_ms(score) return math.min(math.max(0, math.ceil(score)), 9e15) end
local function sane_text(score) return #score < 16 and not string.find(score, '%D') and score or string.format('%.0f', sane_ms(score)) end
local found = redis.call('ZRANGE', due, '-inf', string.format('%.0f', before_ms), 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
local ids, lives, gone, expired, lag_ms = {}, {}, {}, {}, 0
for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
if #ids > 0 then
  lag_ms = math.max(0, now_ms - sane_ms(found[2]))
  local entries, expiries = redis.call('HMGET', live, unpack(ids)), any_expire and redis.call('ZMSCORE', expiry, unpack(ids)) or {}
  for i, id in ipairs(ids) do
    local size = redis.call('HSTRLEN', tasks, id)
    if size == 0 or entries[i] then
      gone[#gone + 1] = id
      if size == 0 then redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) end
    elseif expiries[i] and tonumber(expiries[i]) <= now_ms then
      local name = size < 4096 and string.match(redis.call('HGET', tasks, id), '^%[%d+,"([^"\\]*)"') or ''
      local number = redis.call('XADD', ended, '*', 'id', id, 'state', 'expired', 'name', name, 'at', now_ms, 'entry', '')
      redis.call('HSET', past, id, 'expired:' .. number .. ':')
      redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
      expired[#expired + 1] = id
      expired[#expired + 1] = name
    else
      lives[#lives + 1] = id
      lives[#lives + 1] = redis.call('XADD', stream, '*', 'id', id, 'due', sane_text(found[2 * i]))
    end
  end
  for i = 1, #lives, 1000 do redis.call('HSET', live, unpack(lives, i, math.min(i + 999, #lives))) end
  redis.call('ZREM', due, unpack(ids))
  if at[3] == '1' then redis.call('XADD', audit, '*', 'op', 'promote', 'term', term, 'lives', table.concat(lives, ' ')) end
  if #gone > 0 then redis.call('HINCRBY', counts, 'dropped', #gone) end
  if #expired > 0 then redis.call('HINCRBY', counts, 'expired', #expired / 2) end
end
local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
return {'ok', #lives / 2, head[2] and sane_ms(head[2]) or false, now_ms, lag_ms, #gone, expired}
