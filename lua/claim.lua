#!lua flags=allow-oom
-- claim: make a term that was won at the queue's first partition the accepted one here, before the first write under it.
--
-- KEYS  1 meta    hash    layout, audit
--       2 epoch   hash    {term, token, leader, since_ms, seen_ms, ttl_ms}
--       3 audit   stream  while a campaign looks on: who led
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 term    string
--       4 token   string  random, of this leader in this term
--       5 leader  string  who that is, for people
--       6 ttl_ms  int     silent for longer: nobody leads
-- REPLY ok
--       higher {term string}
--       other_layout {layout string}
--
-- Terms only grow: a lower one comes late, or was taken where the higher was lost in a failover, and changes nothing; its
-- leader takes a higher one at home and claims that. Safe to repeat.
local meta, epoch, audit = KEYS[1], KEYS[2], KEYS[3]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local leader, ttl_ms = ARGV[5], ARGV[6]
local at = redis.call('HMGET', meta, 'layout', 'audit')
if at[1] ~= layout and (at[1] or string.find(layout, '<', 1, true)) then return {'other_layout', at[1] or ''} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
local stands, new = tonumber(accepted[1]) or 0, tonumber(term)
if stands > new or stands == new and accepted[2] ~= token then return {'higher', accepted[1]} end
if stands == new then return {'ok'} end
local now_text = string.format('%.0f', now_ms)
if not at[1] then redis.call('HSET', meta, 'layout', layout) end
redis.call('HSET', epoch, 'term', term, 'token', token, 'leader', leader, 'since_ms', now_text, 'seen_ms', now_text,
  'ttl_ms', ttl_ms)
if at[2] == '1' then redis.call('XADD', audit, '*', 'op', 'lead', 'term', term, 'by', leader) end
return {'ok'}
