#!lua flags=allow-oom
-- next: end the deliveries whose handlers have returned, and read and open what comes next, in one step. A consumer's.
--
-- KEYS  1 meta    hash    layout, paused, audit, group
--       2 lanes   hash    lane -> {call, at_ms, marks} of its last call
--       3 tasks   hash    task id -> record
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 runs    hash    task id -> attempt and errors
--       7 expiry  zset    task id -> the ms from which it must not start any more
--       8 ended   stream  the cancelled and expired
--       9 past    hash    task id -> state:number of its newest end that is kept
--      10 counts  hash    what happened here, by name
--      11 audit   stream  while a campaign looks on: what ended, and by whom
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 lane    string  '' = this call will not be repeated
--       4 call    int     number of this call on its lane: 1, 2, 3 ...
--       5 consumer string the name that what ends was read under, and what comes is read under
--       6 group   string  the number of the group it joined; '' = any. In another group a name is no proof of ownership
--       7 free    int     how many to read: the consumer's free slots, 0..1000; more would starve the others
--       8 bytes_max int   records beyond this many bytes are left to open
--       9 in_row  int     1 = the items are all that the stream has from the first to the last, in order: one read brought them
-- ITEMS entry string, count int, id string
-- REPLY ok {marks string, now_ms int, deliveries [entry string, id string, due_ms int, record string, run string?], unopened [entry string, id string, due_ms int], expired [id string, name string], stale int}
--       paused {marks string}
--       no_group {marks string}
--       other_layout {layout string}
--       late_call
--
-- An end is refused unless consumer, delivery count and live[id] are all as given; its mark: o settled, l lost, c cancelled.
-- Record first, entry last: what is torn leaves an entry without a record, which is stale, never a task without an end.
-- The same call again ends nothing twice, gets its first marks, and reads nothing.
-- What is read is good only while live[id] is its own stream id; any other is stale: it is ended here, and counted.
local meta, lanes, tasks, stream, live, runs = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, ended, past, counts, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local layout, now_ms, lane, call, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local group, free, bytes_max, in_row = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'audit', 'group')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return {'ok', last[3], now_ms, {}, {}, {}, 0} end
  if last[1] > call then return {'late_call'} end
end
redis.call('HLEN', tasks) redis.call('HLEN', live) redis.call('HLEN', counts) redis.call('XLEN', stream)
local any_ran, any_expire = redis.call('HLEN', runs) > 0, redis.call('ZCARD', expiry) > 0
if any_expire then redis.call('XLEN', ended) redis.call('HLEN', past) end
local marks, ends, stale = '', {}, 0
if ARGV[10] then
  local n, ids, entries, gone = 0, {}, {}, {}
  for i = 10, #ARGV, 3 do n, entries[n + 1], ids[n + 1] = n + 1, ARGV[i], ARGV[i + 2] end
  local lives = redis.call('HMGET', live, unpack(ids))
  local first, last = entries[1], entries[n]
  local pending = redis.pcall('XPENDING', stream, 'workers', first, last, 2 * n, consumer)
  local all_good = #pending == n -- nearly always: in the order of the stream, each ours, live and delivered once
  for i = 1, all_good and n or 0 do
    local held, entry = pending[i], entries[i]
    if held[1] ~= entry or held[4] ~= 1 or ARGV[8 + 3 * i] ~= '1' or lives[i] ~= entry then all_good = false break end
  end
  if all_good then
    marks, gone, ends = string.rep('o', n), ids, entries
  else
    local held, mark = {}, {}
    for _, one in ipairs(pending) do held[one[1]] = one[4] end
    for i, id in ipairs(ids) do
      local entry, count = entries[i], tonumber(ARGV[8 + 3 * i])
      mark[i] = 'l'
      if not held[entry] then held[entry] = (redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1] or {})[4] end
      if held[entry] ~= count then
        local last = redis.call('HGET', past, id)
        if last and string.match(last, '^cancelled:[^:]*:(.*)$') == entry then mark[i] = 'c' end
      elseif lives[i] == entry then
        mark[i], held[entry], gone[#gone + 1], ends[#ends + 1] = 'o', 'ended', id, entry
      else -- stale, unless its number was reissued
        local found = redis.call('XRANGE', stream, entry, entry)[1]
        if not found or found[2][2] == id then held[entry], ends[#ends + 1], stale = 'ended', entry, stale + 1 end
      end
    end
    marks = table.concat(mark)
  end
  for i = 1, at[3] == '1' and n or 0 do
    local of, id, count = entries[i], ids[i], ARGV[8 + 3 * i]
    if string.sub(marks, i, i) == 'o' then
      redis.call('XADD', audit, '*', 'op', 'complete', 'id', id, 'of', of, 'count', count, 'by', consumer)
    end
  end
  if #gone > 0 then
    redis.call('HDEL', tasks, unpack(gone)) redis.call('HDEL', live, unpack(gone))
    if any_ran then redis.call('HDEL', runs, unpack(gone)) end
    if any_expire then redis.call('ZREM', expiry, unpack(gone)) end
    redis.call('HINCRBY', counts, 'complete', #gone)
  end
  if #ends > 0 then
    redis.call('XACK', stream, 'workers', unpack(ends))
    -- XDEL looks for each entry from the start of its node: what is just the head of the stream is cut off at once.
    local head = in_row == '1' and #ends == n and redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    local behind = head and head[1] == first and string.gsub(last, '%d+$', function(nth) return string.format('%.0f', nth + 1) end)
    if behind and #last < 30 then redis.call('XTRIM', stream, 'MINID', behind) else redis.call('XDEL', stream, unpack(ends)) end
  end
  if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
  if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, marks})) end
end
if free > 0 and at[2] == '1' then return {'paused', marks} end
local read = free > 0 and group ~= '' and (at[4] or '0') ~= group and {err = 'NOGROUP'}
  or free > 0 and redis.pcall('XREADGROUP', 'GROUP', 'workers', consumer, 'COUNT', free, 'STREAMS', stream, '>')
if read and read.err then return string.sub(read.err, 1, 7) == 'NOGROUP' and {'no_group', marks} or read end
if not read then return {'ok', marks, now_ms, {}, {}, {}, 0} end
local entries, ids, deliveries, unopened, expired, bytes = read[1][2], {}, {}, {}, {}, 0
ends, stale = {}, 0
for i = 1, #entries do ids[i] = entries[i][2][2] end
local lives = redis.call('HMGET', live, unpack(ids))
local expiries = any_expire and redis.call('ZMSCORE', expiry, unpack(ids)) or {}
local ran = any_ran and redis.call('HMGET', runs, unpack(ids)) or {}
local records, known, handful, n = {}, 0, 1, 0
for i = 1, #entries do
  local number, id, due_ms = entries[i][1], ids[i], entries[i][2][4]
  local good, full = lives[i] == number, bytes >= bytes_max
  if i > known and not full then -- by the handful, as many as the bytes left should hold
    local got = redis.call('HMGET', tasks, unpack(ids, i, math.min(i + handful - 1, #ids)))
    for k = 1, #got do records[known + k], bytes = got[k], bytes + (got[k] and #got[k] or 0) end
    known = known + #got
    handful = math.max(1, math.min(2 * handful, 8, math.ceil((bytes_max - bytes) * known / bytes)))
  end
  local record = good and records[i]
  if good and full and i > known then
    unopened[#unopened + 1] = number unopened[#unopened + 1] = id unopened[#unopened + 1] = due_ms
  elseif not record then
    if good then redis.call('HDEL', live, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) end
    ends[#ends + 1], stale = number, stale + 1
  elseif expiries[i] and tonumber(expiries[i]) <= now_ms then
    local name = string.match(record, '^%[%d+,"([^"\\]*)"') or ''
    local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'expired', 'name', name, 'at', now_ms, 'entry', number)
    redis.call('HSET', past, id, 'expired:' .. e .. ':' .. number)
    redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('HDEL', live, id) redis.call('ZREM', expiry, id)
    ends[#ends + 1], expired[#expired + 1], expired[#expired + 2] = number, id, name
  else
    deliveries[n + 1], deliveries[n + 2], deliveries[n + 3] = number, id, due_ms
    n, deliveries[n + 4], deliveries[n + 5] = n + 5, record, ran[i] or false
  end
end
if #ends > 0 then
  redis.call('XACK', stream, 'workers', unpack(ends)) redis.call('XDEL', stream, unpack(ends))
  if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
  if #expired > 0 then redis.call('HINCRBY', counts, 'expired', #expired / 2) end
end
return {'ok', marks, now_ms, deliveries, unopened, expired, stale}
