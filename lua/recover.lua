#!lua flags=allow-oom
-- recover: take over deliveries whose lease ran out, and open them. Any consumer's, with free slots.
--
-- KEYS  1 meta    hash    layout, paused, seen_ms, gap_ms, gap_end_ms, last_gap_ms, hold_ms, look_at
--       2 stream  stream  {id, due}
--       3 live    hash    task id -> stream id of the one entry that counts
--       4 tasks   hash    task id -> record
--       5 runs    hash    task id -> attempt and errors
--       6 consumers hash  consumer -> 'lease_ms beat_ms worker'
--       7 expiry  zset    task id -> the ms from which it must not start any more
--       8 dead    stream  the dead letters
--       9 past    hash    task id -> state:number of its newest end that is kept
--      10 counts  hash    what happened here, by name
-- ARGV  1 layout  string
--       2 now_ms  int     0 = this server's clock
--       3 consumer string
--       4 lease_ms int    for deliveries whose owner is not known any more
--       5 page    int     deliveries looked at: 200
--       6 limit   int     deliveries taken: the free slots, at most 100; 0 = only look
--       7 bytes_max int   stop taking when their records pass this
--       8 lost_max int    more lost leases than this: dead letter max_deliveries
-- REPLY ok {overdue int, deliveries [entry string, id string, due_ms int, count int, record string, run string?], buried [id string, name string], stale int, held_until_ms int}
--       paused
--       no_group
--       other_layout {layout string}
--
-- The owner's lease counts. A cheap XPENDING page, idle tested here; XAUTOCLAIM only from what is over its lease. All share
-- one walk: look_at is where it goes on. overdue: 1 = it stands at one that waits for a free slot.
-- Somebody looks every second: a longer gap was an outage (a frozen or restarted server, a stepped clock), and what seems
-- abandoned may only have been unable to beat. So what had a sign of life less than a lease before the gap, and a lease
-- under three gaps, is held for one lease from its end; one right after another counts from there. held_until_ms: 0 = none.
local meta, stream, live, tasks, runs, consumers = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, dead, past, counts = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local layout, now_ms, consumer, lease_ms, page = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local limit, bytes_max, lost_max = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local at = redis.call('HMGET', meta, 'layout', 'paused', 'seen_ms', 'gap_ms', 'gap_end_ms', 'look_at', 'last_gap_ms')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
if now_ms == 0 then local time = redis.call('TIME') now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
for _, hash in ipairs({live, tasks, runs, consumers, past, counts}) do redis.call('HLEN', hash) end
redis.call('XLEN', stream) redis.call('XLEN', dead) redis.call('ZCARD', expiry)
local look_at, seen_ms, gap_ms, last_ms = at[6] or '-', tonumber(at[3] or '') or now_ms, tonumber(at[4] or 0), tonumber(at[7] or 0)
local gap_end_ms = math.min(tonumber(at[5] or 0), now_ms) -- the clock went back: a hold goes on, for a lease at most
if now_ms > gap_end_ms + 3 * gap_ms then gap_ms = 0 end
local begin_ms = last_ms > lease_ms / 3 and seen_ms < gap_end_ms + lease_ms and gap_end_ms - last_ms or seen_ms
local silent_ms, is_held = now_ms - seen_ms, gap_ms > lease_ms / 3 and now_ms < gap_end_ms + lease_ms
local is_gap = silent_ms > math.min(2000, 0.4 * lease_ms) and (silent_ms > lease_ms / 3 or not is_held)
if is_gap then gap_ms, last_ms, gap_end_ms = now_ms - math.min(seen_ms, begin_ms), silent_ms, now_ms end
redis.call('HSET', meta, 'seen_ms', now_ms, 'gap_ms', gap_ms, 'gap_end_ms', gap_end_ms, 'last_gap_ms', last_ms)
if at[2] == '1' then return {'paused'} end
local pending = redis.pcall('XPENDING', stream, 'workers', look_at, '+', page)
if pending.err then return string.sub(pending.err, 1, 7) == 'NOGROUP' and {'no_group'} or pending end
local deliveries, buried, stale, bytes, hold_ms, leases = {}, {}, 0, 0, 0, {}
local next_look = #pending == page and '(' .. pending[#pending][1] or '-'
for _, one in ipairs(pending) do
  local entry, owner, idle_ms, lost = one[1], one[2], one[3], one[4]
  leases[owner] = leases[owner] or {string.match(redis.call('HGET', consumers, owner) or '', '^(%d+) (%d+)')}
  local lease, beat = tonumber(leases[owner][1] or lease_ms), tonumber(leases[owner][2] or now_ms)
  local held = gap_ms > lease / 3 and now_ms < gap_end_ms + lease and beat >= gap_end_ms - gap_ms - lease
  if idle_ms > lease and held then
    hold_ms = math.max(hold_ms, gap_end_ms + lease)
  elseif idle_ms > lease then
    if #deliveries >= 6 * limit or bytes >= bytes_max then next_look = entry break end
    local found = redis.call('XRANGE', stream, entry, entry)[1]
    local id = found and found[2][2]
    local good = id and redis.call('HGET', live, id) == entry
    local record = good and redis.call('HGET', tasks, id)
    local run = record and redis.call('HGET', runs, id) or ''
    bytes = bytes + (record and #record or 0)
    if not record or lost + (string.match(run, '"d":(%d+)}$') or 0) > lost_max then -- d: before it was handed back
      if record then
        local letter = redis.call('XADD', dead, '*', 'id', id, 'reason', 'max_deliveries', 'run', run, 'at', now_ms, 'record', record)
        redis.call('HSET', past, id, 'dead:' .. letter .. ':' .. entry)
        redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) redis.call('HDEL', live, id)
        buried[#buried + 1] = id buried[#buried + 1] = string.match(record, '^%[%d+,"([^"\\]*)"') or ''
      else
        if good then redis.call('HDEL', live, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) end
        stale = stale + 1
      end
      redis.call('XACK', stream, 'workers', entry) redis.call('XDEL', stream, entry)
    elseif redis.call('XAUTOCLAIM', stream, 'workers', consumer, lease, entry, 'COUNT', 1)[2][1] then
      local taken = {entry, id, found[2][4], lost + 1, record, run ~= '' and run or false}
      for i = 1, 6 do deliveries[#deliveries + 1] = taken[i] end
    end
  end
end
local tally = {recovered = #deliveries / 6, bury = #buried / 2, stale = stale}
for what, times in pairs(tally) do if times > 0 then redis.call('HINCRBY', counts, what, times) end end
if hold_ms > 0 then redis.call('HSET', meta, 'hold_ms', string.format('%.0f', hold_ms)) end
if next_look ~= look_at then redis.call('HSET', meta, 'look_at', next_look) end
return {'ok', string.match(next_look, '^%d') and 1 or 0, deliveries, buried, stale, hold_ms}
