#!lua flags=no-writes
-- get: all there is to know of one task.
--
-- KEYS  1 meta    hash    layout
--       2 due     zset    task id -> due ms
--       3 tasks   hash    task id -> record
--       4 stream  stream  {id, due}
--       5 live    hash    task id -> stream id of the one entry that counts
--       6 runs    hash    task id -> attempt and errors
--       7 expiry  zset    task id -> the ms from which it must not start any more
--       8 ended   stream  the cancelled and expired
--       9 dead    stream  the dead letters; a letter's number is its stream id
--      10 past    hash    task id -> state:number of its newest end that is kept
-- ARGV  1 layout  string
--       2 id      string
-- REPLY ok {state string, due_ms int, record string, run string?, deliveries int, expires_ms int?}
--       settled {state string, number string, fields string[]}
--       not_found
--       other_layout {layout string}
--
-- state: scheduled = in due; ready = live and not pending; active = live and pending. settled: its newest end that is kept,
-- with the fields of that entry of dead or ended. lost: a record nowhere placed, until the sweep has put it back.
local meta, due, tasks, stream, live, runs = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, ended, dead, past = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local layout, id = ARGV[1], ARGV[2]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local record = redis.call('HGET', tasks, id)
if not record then
  local last = redis.call('HGET', past, id)
  if not last then return {'not_found'} end
  local state, number = string.match(last, '^(%a+):([^:]+)')
  local entry = redis.call('XRANGE', state == 'dead' and dead or ended, number, number)[1]
  if not entry then return {'not_found'} end
  return {'settled', state, number, entry[2]}
end
-- A score or an entry that others wrote may hold any number, or none.
local function sane_ms(ms) return ms and math.min(math.max(0, math.ceil(ms)), 9e15) or false end
local run, expires_ms = redis.call('HGET', runs, id), sane_ms(tonumber(redis.call('ZSCORE', expiry, id) or ''))
local due_ms, entry = redis.call('ZSCORE', due, id), redis.call('HGET', live, id)
if due_ms then return {'ok', 'scheduled', sane_ms(due_ms), record, run, 0, expires_ms} end
local found = entry and redis.call('XRANGE', stream, entry, entry)[1]
if not found then return {'ok', 'lost', 0, record, run, 0, expires_ms} end
local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
local state = owned[1] and 'active' or 'ready'
return {'ok', state, sane_ms(tonumber(found[2][4])) or 0, record, run, owned[1] and owned[1][4] or 0, expires_ms}
