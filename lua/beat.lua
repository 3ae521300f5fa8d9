#!lua flags=allow-oom
-- beat: a consumer's sign of life, and its deliveries': idle or not, every third of its lease.
--
-- KEYS  1 meta    hash    layout
--       2 stream  stream  {id, due}
--       3 live    hash    task id -> stream id of the one entry that counts
--       4 consumers hash  consumer -> 'lease_ms beat_ms worker'
--       5 past    hash    task id -> state:number of its newest end that is kept
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 consumer string the name these deliveries were read under
--       4 worker  string  who that is, for people
--       5 lease_ms int
-- ITEMS entry string, count int, id string
-- REPLY ok {now_ms int, marks string}
--       other_layout {layout string}
--
-- A mark per item: o extended, l lost, c cancelled. Owner, count and live are checked: a zombie's beat steals nothing back.
local meta, stream, live, consumers, past = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local layout, now_ms, consumer, worker, lease_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('HLEN', consumers) redis.call('HLEN', past)
redis.call('HSET', consumers, consumer, lease_ms .. ' ' .. string.format('%.0f', now_ms) .. ' ' .. worker)
local marks, mine = {}, {}
for i = 6, #ARGV, 3 do
  local entry, count, id = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local pending = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1] -- nil without a group
  local mark = 'l'
  if pending and pending[4] == count and redis.call('HGET', live, id) == entry then
    mark = 'o'
    mine[#mine + 1] = entry
  else
    local last = redis.call('HGET', past, id)
    if last and string.match(last, '^cancelled:[^:]*:(.*)$') == entry then mark = 'c' end
  end
  marks[#marks + 1] = mark
end
if #mine > 0 then
  mine[#mine + 1] = 'JUSTID'
  redis.call('XCLAIM', stream, 'workers', consumer, 0, unpack(mine))
end
return {'ok', now_ms, table.concat(marks)}
