#!lua flags=allow-oom
-- purge: throw dead letters away.
--
-- KEYS  1 meta    hash    layout, paused
--       2 dead    stream  the dead letters; a letter's number is its stream id
--       3 past    hash    task id -> state:number of its newest end that is kept
--       4 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 limit   int     the oldest letters, when no item is given: 0..1000
-- ITEMS number string
-- REPLY ok {purged int}
--       other_layout {layout string}
--
-- Each item is the number of a letter. Safe to repeat: a letter that is gone is not counted.
local meta, dead, past, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, limit = ARGV[1], tonumber(ARGV[2])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
redis.call('XLEN', dead) redis.call('HLEN', past) redis.call('HLEN', counts)
local numbers = {}
for i = 3, #ARGV do numbers[#numbers + 1] = ARGV[i] end
local purged = 0
for i = 1, #numbers > 0 and #numbers or limit do
  local number = numbers[i] or '-'
  local letter = redis.pcall('XRANGE', dead, number, numbers[i] or '+', 'COUNT', 1)[1] -- nil when that is no number
  if letter then
    local index = redis.call('HGET', past, letter[2][2])
    if index and string.find(index, ':' .. letter[1] .. ':', 1, true) then redis.call('HDEL', past, letter[2][2]) end
    purged = purged + redis.call('XDEL', dead, letter[1])
  end
end
if purged > 0 then redis.call('HINCRBY', counts, 'purged', purged) end
return {'ok', purged}
