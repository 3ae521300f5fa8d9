#!lua flags=allow-oom
-- lead: take a new term, after the vote was won: a compare-and-set on the epoch as it was read before the bid.
--
-- KEYS  1 meta    hash    layout, audit
--       2 epoch   hash    {term, token, leader, since_ms, seen_ms, ttl_ms}
--       3 audit   stream  while a campaign looks on: who led
-- ARGV  1 layout  string
--       2 now_us  int     0 = this server's clock
--       3 term    string  the epoch read before the bid; '' = none
--       4 token   string
--       5 new_token string random, of this leader in this term
--       6 leader  string  who that is, for people
--       7 ttl_ms  int     silent for longer: nobody leads
--       8 above   string  a term that stands elsewhere; the new one is higher. '0' = none is known
-- REPLY ok {term int}
--       lost {term string}
--       other_layout {layout string}
--
-- The vote gives liveness, this gives safety: whoever won a vote that another winner has overtaken changes nothing.
-- A term from the server's clock in µs still grows after a failover that lost the stored one.
local meta, epoch, audit = KEYS[1], KEYS[2], KEYS[3]
local layout, now_us, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local new_token, leader, ttl_ms, above = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]) or 0
local at = redis.call('HMGET', meta, 'layout', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_us == 0 then now_us = time[1] * 1000000 + time[2] end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if (accepted[1] or '') ~= term or (accepted[2] or '') ~= token then return {'lost', accepted[1] or '0'} end
local new_term = math.max((tonumber(accepted[1]) or 0) + 1, now_us, above + 1)
local now_ms = string.format('%.0f', math.floor(now_us / 1000))
if not at[1] then redis.call('HSET', meta, 'layout', layout) end
redis.call('HSET', epoch, 'term', string.format('%.0f', new_term), 'token', new_token, 'leader', leader,
  'since_ms', now_ms, 'seen_ms', now_ms, 'ttl_ms', ttl_ms)
if at[2] == '1' then redis.call('XADD', audit, '*', 'op', 'lead', 'term', string.format('%.0f', new_term), 'by', leader) end
return {'ok', new_term}
