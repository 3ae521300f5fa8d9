#!lua flags=allow-oom
-- reap: forget consumers that are dead: no beat for ten of their leases, and nothing pending. Leader only.
--
-- KEYS  1 meta    hash    layout
--       2 epoch   hash    {term, token} of the leader this partition accepts
--       3 stream  stream  {id, due}
--       4 consumers hash  consumer -> 'lease_ms beat_ms worker'
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 term    string
--       4 token   string
--       5 cursor  string  '0' from the start, or what the last call gave
--       6 count   int     consumers looked at, about
--       7 stray_idle_ms int  one that nobody joined, made by a read that came late: silent for so long
-- REPLY ok {cursor string, reaped int}
--       stale_term {term string}
--       other_layout {layout string}
--
-- Seen empty and deleted in one script: XGROUP DELCONSUMER drops what is pending, for ever.
local meta, epoch, stream, consumers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local cursor, count, stray_idle_ms = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream)
local found, reaped = redis.call('HSCAN', consumers, cursor, 'COUNT', count), 0
for i = 1, #found[2], 2 do
  local consumer = found[2][i]
  local lease_ms, beat_ms = string.match(found[2][i + 1], '^(%d+) (%d+)')
  if not beat_ms or now_ms - tonumber(beat_ms) > 10 * tonumber(lease_ms) then
    local pending = redis.pcall('XPENDING', stream, 'workers', '-', '+', 1, consumer)
    if not pending[1] then
      redis.pcall('XGROUP', 'DELCONSUMER', stream, 'workers', consumer)
      redis.call('HDEL', consumers, consumer)
      reaped = reaped + 1
    end
  end
end
for _, one in ipairs(cursor == '0' and redis.pcall('XINFO', 'CONSUMERS', stream, 'workers') or {}) do
  local of = {}
  for i = 1, #one, 2 do of[one[i]] = one[i + 1] end
  if reaped >= count then break end
  if of.pending == 0 and of.idle >= stray_idle_ms and redis.call('HEXISTS', consumers, of.name) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', stream, 'workers', of.name)
    reaped = reaped + 1
  end
end
return {'ok', found[1], reaped}
