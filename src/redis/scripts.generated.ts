// Made from lua/*.lua by scripts/generate-bindings.mjs: change the script, then run `npm run build`.
import type { Script, ScriptDefinition } from './script.js';
import { aString, aStringOrNull, anInt, anIntOrNull, atMost, groups, strange, strings, word } from './wording.js';

export interface AddKeys {
  /** hash: layout, paused */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** hash: what happened here, by name */
  counts: string;
  /** channel: 'due <ms>' when a task became the earliest */
  wake: string;
}

export interface AddArgs {
  /** format/partitions */
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  items: readonly { id: string; when: string; expires: string; record: string }[];
}

export type AddReply =
  | { status: 'ok'; marks: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** place new tasks, each in the schedule or, when due, in the stream. Producers, in any language (docs/wire-format.md). */
export const add: Script<AddKeys, AddArgs, AddReply> = {
  name: 'add',
  sha1: 'b4ec54cd3856ddefe0897ffc4525198914dc1696',
  keys: ['meta', 'lanes', 'due', 'tasks', 'stream', 'live', 'expiry', 'counts', 'wake'],
  args: ['layout', 'nowMs', 'lane', 'call'],
  items: ['id', 'when', 'expires', 'record'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      'b4ec54cd3856ddefe0897ffc4525198914dc1696',
      '9',
      word(keys.meta, 'add: meta'),
      word(keys.lanes, 'add: lanes'),
      word(keys.due, 'add: due'),
      word(keys.tasks, 'add: tasks'),
      word(keys.stream, 'add: stream'),
      word(keys.live, 'add: live'),
      word(keys.expiry, 'add: expiry'),
      word(keys.counts, 'add: counts'),
      word(keys.wake, 'add: wake'),
      word(args.layout, 'add: layout'),
      word(args.nowMs, 'add: nowMs'),
      word(args.lane, 'add: lane'),
      word(args.call, 'add: call'),
    ];
    for (const item of args.items) {
      words.push(word(item.id, 'add: id'), word(item.when, 'add: when'), word(item.expires, 'add: expires'), word(item.record, 'add: record'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'add: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'add: ok.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'add: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'add: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'add: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'add', 'ok | other_layout | late_call');
    }
  },
  source: `#!lua
local meta, lanes, due, tasks, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local live, expiry, counts, wake = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local layout, now_ms, lane, call = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local at = redis.call('HMGET', meta, 'layout', 'paused')
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if at[1] ~= layout and (at[1] or string.find(layout, '<', 1, true)) then return {'other_layout', at[1] or ''} end
local time = redis.call('TIME')
local exact_ms = now_ms > 0 and now_ms or time[1] * 1000 + time[2] / 1000
now_ms = math.floor(exact_ms)
local function is_utf8(text)
  if string.find(text, '^[^\\128-\\255]*$') then return true end
  local tail = '[\\128-\\191]'
  for _, character in ipairs({'[\\194-\\223]' .. tail, '\\224[\\160-\\191]' .. tail, '\\237[\\128-\\159]' .. tail,
    '[\\225-\\236\\238\\239]' .. tail .. tail, '\\240[\\144-\\191]' .. tail .. tail, '\\244[\\128-\\143]' .. tail .. tail,
    '[\\241-\\243]' .. tail .. tail .. tail}) do text = string.gsub(text, character, ' ') end
  return not string.find(text, '[\\128-\\255]')
end
local marks, later, ids, ready, ends, records, fresh, earliest, head = {}, {}, {}, {}, {}, {}, {}, math.huge, 0
local now_text = string.format('%.0f', now_ms) local created = '[' .. now_text .. ','
for i = 5, #ARGV, 4 do
  local id, when, expires, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local mark, whole = 'd', '^%+?%d+$'
  if not record or string.sub(record, 1, 2) ~= '["' or when ~= '+0' and (not string.find(when, whole) or tonumber(when) > 9e15)
    or expires ~= '' and (not string.find(expires, whole) or tonumber(expires) > 9e15) or not is_utf8(id) then
    mark = 'x'
  elseif not fresh[id] and redis.call('HEXISTS', tasks, id) == 0 then
    local due_ms = when == '+0' and now_ms or tonumber(when)
    if string.byte(when) == 43 and when ~= '+0' then due_ms = due_ms == 0 and now_ms or math.ceil(exact_ms + due_ms) end
    local due_text = due_ms == now_ms and now_text or string.format('%.0f', due_ms)
    if due_ms > now_ms or at[2] == '1' then
      mark, later[#later + 1], later[#later + 2], ids[#ids + 1] = 's', due_text, id, id
      earliest = math.min(earliest, due_ms)
    else
      mark, ready[#ready + 1], ready[#ready + 2] = 'r', id, due_text
    end
    if expires ~= '' then
      local expires_ms = tonumber(expires) + (string.byte(expires) == 43 and due_ms or 0)
      ends[#ends + 1], ends[#ends + 2] = string.format('%.0f', math.min(expires_ms, 9e15)), id
    end
    fresh[id], records[#records + 1], records[#records + 2] = true, id, created .. string.sub(record, 2)
  end
  marks[#marks + 1] = mark
end
redis.call('HLEN', counts) redis.call('HLEN', live) if #ready == 0 or not at[1] then redis.call('XLEN', stream) end
if #ends > 0 then redis.call('ZCARD', expiry) end
if #later > 0 then head = tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2] or math.huge) end
if not at[1] then redis.call('HSET', meta, 'layout', layout) end
for i = 1, #ready, 2 do ready[i + 1] = redis.call('XADD', stream, '*', 'id', ready[i], 'due', ready[i + 1]) end
local function write(command, key, list)
  for i = 1, #list, 1000 do redis.call(command, key, unpack(list, i, math.min(i + 999, #list))) end
end
write('HSET', live, ready) write('ZADD', due, later) write('HDEL', live, ids) write('ZADD', expiry, ends) write('HSET', tasks, records)
if #records > 0 then redis.call('HINCRBY', counts, 'added', #records / 2) end
if earliest < head then redis.call('PUBLISH', wake, string.format('due %.0f', earliest)) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface AgeKeys {
  /** hash: layout */
  meta: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** stream: the dead letters */
  dead: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface AgeArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  term: string;
  token: string;
  endedAgeMs: number;
  /** more than this: the oldest go */
  endedMax: number;
  deadAgeMs: number;
  /** longer than any call is repeated */
  laneAgeMs: number;
  /** of the lanes: '0' from the start, or what the last call gave */
  cursor: string;
  /** how many of each are looked at */
  limit: number;
  /** dead letters of more bytes than this are left to the next call */
  bytesMax: number;
}

export type AgeReply =
  | { status: 'ok'; aged: number; cursor: string }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string };

/** forget what was kept long enough: ended tasks, dead letters, silent lanes. Leader only. */
export const age: Script<AgeKeys, AgeArgs, AgeReply> = {
  name: 'age',
  sha1: 'cedff6222553b90b4f7e6ad4047df57095380e30',
  keys: ['meta', 'epoch', 'ended', 'dead', 'past', 'lanes', 'counts'],
  args: [
    'layout',
    'nowMs',
    'term',
    'token',
    'endedAgeMs',
    'endedMax',
    'deadAgeMs',
    'laneAgeMs',
    'cursor',
    'limit',
    'bytesMax',
  ],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    'cedff6222553b90b4f7e6ad4047df57095380e30',
    '7',
    word(keys.meta, 'age: meta'),
    word(keys.epoch, 'age: epoch'),
    word(keys.ended, 'age: ended'),
    word(keys.dead, 'age: dead'),
    word(keys.past, 'age: past'),
    word(keys.lanes, 'age: lanes'),
    word(keys.counts, 'age: counts'),
    word(args.layout, 'age: layout'),
    word(args.nowMs, 'age: nowMs'),
    word(args.term, 'age: term'),
    word(args.token, 'age: token'),
    word(args.endedAgeMs, 'age: endedAgeMs'),
    word(args.endedMax, 'age: endedMax'),
    word(args.deadAgeMs, 'age: deadAgeMs'),
    word(args.laneAgeMs, 'age: laneAgeMs'),
    word(args.cursor, 'age: cursor'),
    word(args.limit, 'age: limit'),
    word(args.bytesMax, 'age: bytesMax'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'age: ok');
        return {
          status: 'ok',
          aged: anInt(all[1], 'age: ok.aged'),
          cursor: aString(all[2], 'age: ok.cursor'),
        };
      case 'stale_term':
        atMost(1, all, 'age: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'age: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'age: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'age: other_layout.layout'),
        };
      default:
        throw strange(reply, 'age', 'ok | stale_term | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, epoch, ended, dead, past, lanes, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local ended_age_ms, ended_max, dead_age_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local lane_age_ms, cursor, limit, bytes_max = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', dead) redis.call('HLEN', past) redis.call('HLEN', lanes) redis.call('HLEN', counts)
local function forget(stream, age_ms, keep_max, what)
  local over, aged, bytes = redis.call('XLEN', stream) - keep_max, 0, 0
  while aged < limit and bytes < bytes_max do
    local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1] -- one at a time: a letter may be large
    if not entry then break end
    local at_ms, id = 0, entry[2][2]
    for i = 1, #entry[2], 2 do if entry[2][i] == 'at' then at_ms = tonumber(entry[2][i + 1]) end end
    if now_ms - at_ms <= age_ms and aged >= over then break end
    local index = redis.call('HGET', past, id)
    if index and string.find(index, ':' .. entry[1] .. ':', 1, true) then redis.call('HDEL', past, id) end
    redis.call('XDEL', stream, entry[1])
    aged, bytes = aged + 1, bytes + #entry[2][#entry[2]]
  end
  if aged > 0 then redis.call('HINCRBY', counts, what, aged) end
  return aged
end
local aged = forget(ended, ended_age_ms, ended_max, 'ended_aged') + forget(dead, dead_age_ms, math.huge, 'dead_aged')
local found = redis.call('HSCAN', lanes, cursor, 'COUNT', limit)
for i = 1, #found[2], 2 do
  local last = cmsgpack.unpack(found[2][i + 1])
  if now_ms - last[2] > lane_age_ms then redis.call('HDEL', lanes, found[2][i]) end
end
return {'ok', aged, found[1]}
`,
};

export interface BeatKeys {
  /** hash: layout */
  meta: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: consumer -> 'lease_ms beat_ms worker' */
  consumers: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
}

export interface BeatArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** the name these deliveries were read under */
  consumer: string;
  /** who that is, for people */
  worker: string;
  leaseMs: number;
  items: readonly { entry: string; count: number; id: string }[];
}

export type BeatReply = { status: 'ok'; nowMs: number; marks: string } | { status: 'other_layout'; layout: string };

/** a consumer's sign of life, and its deliveries': idle or not, every third of its lease. */
export const beat: Script<BeatKeys, BeatArgs, BeatReply> = {
  name: 'beat',
  sha1: 'e7581bccf5453a3b0fdeea7bcdd4ccd3769b6625',
  keys: ['meta', 'stream', 'live', 'consumers', 'past'],
  args: ['layout', 'nowMs', 'consumer', 'worker', 'leaseMs'],
  items: ['entry', 'count', 'id'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      'e7581bccf5453a3b0fdeea7bcdd4ccd3769b6625',
      '5',
      word(keys.meta, 'beat: meta'),
      word(keys.stream, 'beat: stream'),
      word(keys.live, 'beat: live'),
      word(keys.consumers, 'beat: consumers'),
      word(keys.past, 'beat: past'),
      word(args.layout, 'beat: layout'),
      word(args.nowMs, 'beat: nowMs'),
      word(args.consumer, 'beat: consumer'),
      word(args.worker, 'beat: worker'),
      word(args.leaseMs, 'beat: leaseMs'),
    ];
    for (const item of args.items) {
      words.push(word(item.entry, 'beat: entry'), word(item.count, 'beat: count'), word(item.id, 'beat: id'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'beat: ok');
        return {
          status: 'ok',
          nowMs: anInt(all[1], 'beat: ok.nowMs'),
          marks: aString(all[2], 'beat: ok.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'beat: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'beat: other_layout.layout'),
        };
      default:
        throw strange(reply, 'beat', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
`,
};

export interface BuryKeys {
  /** hash: layout, audit */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the dead letters; a letter's number is its stream id */
  dead: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
  /** stream: while a campaign looks on: what ended, and by whom */
  audit: string;
}

export interface BuryArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  /** the name these deliveries were read under */
  consumer: string;
  items: readonly { entry: string; count: number; id: string; reason: string; run: string }[];
}

export type BuryReply =
  | { status: 'ok'; marks: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** end deliveries whose tasks are given up: each becomes a dead letter. Only for the consumer that holds them. */
export const bury: Script<BuryKeys, BuryArgs, BuryReply> = {
  name: 'bury',
  sha1: '180a0e9515c5041ea8bde1370cfa0c3f39f29c6c',
  keys: ['meta', 'lanes', 'tasks', 'stream', 'live', 'runs', 'expiry', 'dead', 'past', 'counts', 'audit'],
  args: ['layout', 'nowMs', 'lane', 'call', 'consumer'],
  items: ['entry', 'count', 'id', 'reason', 'run'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '180a0e9515c5041ea8bde1370cfa0c3f39f29c6c',
      '11',
      word(keys.meta, 'bury: meta'),
      word(keys.lanes, 'bury: lanes'),
      word(keys.tasks, 'bury: tasks'),
      word(keys.stream, 'bury: stream'),
      word(keys.live, 'bury: live'),
      word(keys.runs, 'bury: runs'),
      word(keys.expiry, 'bury: expiry'),
      word(keys.dead, 'bury: dead'),
      word(keys.past, 'bury: past'),
      word(keys.counts, 'bury: counts'),
      word(keys.audit, 'bury: audit'),
      word(args.layout, 'bury: layout'),
      word(args.nowMs, 'bury: nowMs'),
      word(args.lane, 'bury: lane'),
      word(args.call, 'bury: call'),
      word(args.consumer, 'bury: consumer'),
    ];
    for (const item of args.items) {
      words.push(word(item.entry, 'bury: entry'), word(item.count, 'bury: count'), word(item.id, 'bury: id'), word(item.reason, 'bury: reason'), word(item.run, 'bury: run'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'bury: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'bury: ok.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'bury: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'bury: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'bury: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'bury', 'ok | other_layout | late_call');
    }
  },
  source: `#!lua flags=allow-oom
local meta, lanes, tasks, stream, live, runs = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, dead, past, counts, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local layout, now_ms, lane, call, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('HLEN', tasks) redis.call('HLEN', live) redis.call('HLEN', runs)
redis.call('ZCARD', expiry) redis.call('XLEN', dead) redis.call('HLEN', past) redis.call('HLEN', counts)
local marks, settled, stale = {}, 0, 0
for i = 6, #ARGV, 5 do
  local entry, count, id, reason, run = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local mark, has_ended = 'l', false
  local one = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1] -- nil without a group
  if not one or one[4] ~= count then
    local last = redis.call('HGET', past, id)
    if last and string.match(last, '^cancelled:[^:]*:(.*)$') == entry then mark = 'c' end
  elseif redis.call('HGET', live, id) == entry then
    local record = redis.call('HGET', tasks, id) or ''
    local letter = redis.call('XADD', dead, '*', 'id', id, 'reason', reason, 'run', run, 'at', now_ms, 'record', record)
    redis.call('HSET', past, id, 'dead:' .. letter .. ':' .. entry)
    redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) redis.call('HDEL', live, id)
    if at[2] == '1' then redis.call('XADD', audit, '*', 'op', 'bury', 'id', id, 'of', entry, 'count', count, 'by', consumer) end
    mark, has_ended, settled = 'o', true, settled + 1
  else -- stale, unless its number was reissued
    local found = redis.call('XRANGE', stream, entry, entry)[1]
    if not found or found[2][2] == id then has_ended, stale = true, stale + 1 end
  end
  if has_ended then redis.call('XACK', stream, 'workers', entry) redis.call('XDEL', stream, entry) end
  marks[#marks + 1] = mark
end
if settled > 0 then redis.call('HINCRBY', counts, 'bury', settled) end
if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface CancelKeys {
  /** hash: layout, paused */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
  /** channel: what waits is told here */
  wake: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
}

export interface CancelArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  id: string;
  /** '' = anybody's call; else the leader's, by a schedule's policy */
  term: string;
  token: string;
}

export type CancelReply =
  | { status: 'ok'; was: string; name: string }
  | { status: 'not_found' }
  | { status: 'settled'; state: string }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** end a task, in whatever state it is. A handler at work is told by its consumer's next beat, or by the channel. */
export const cancel: Script<CancelKeys, CancelArgs, CancelReply> = {
  name: 'cancel',
  sha1: '9a4a27b0f25ad6f0405315e38290456eaf2609b9',
  keys: [
    'meta',
    'lanes',
    'due',
    'tasks',
    'stream',
    'live',
    'runs',
    'expiry',
    'ended',
    'past',
    'counts',
    'wake',
    'epoch',
  ],
  args: ['layout', 'nowMs', 'lane', 'call', 'id', 'term', 'token'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '9a4a27b0f25ad6f0405315e38290456eaf2609b9',
    '13',
    word(keys.meta, 'cancel: meta'),
    word(keys.lanes, 'cancel: lanes'),
    word(keys.due, 'cancel: due'),
    word(keys.tasks, 'cancel: tasks'),
    word(keys.stream, 'cancel: stream'),
    word(keys.live, 'cancel: live'),
    word(keys.runs, 'cancel: runs'),
    word(keys.expiry, 'cancel: expiry'),
    word(keys.ended, 'cancel: ended'),
    word(keys.past, 'cancel: past'),
    word(keys.counts, 'cancel: counts'),
    word(keys.wake, 'cancel: wake'),
    word(keys.epoch, 'cancel: epoch'),
    word(args.layout, 'cancel: layout'),
    word(args.nowMs, 'cancel: nowMs'),
    word(args.lane, 'cancel: lane'),
    word(args.call, 'cancel: call'),
    word(args.id, 'cancel: id'),
    word(args.term, 'cancel: term'),
    word(args.token, 'cancel: token'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'cancel: ok');
        return {
          status: 'ok',
          was: aString(all[1], 'cancel: ok.was'),
          name: aString(all[2], 'cancel: ok.name'),
        };
      case 'not_found':
        atMost(0, all, 'cancel: not_found');
        return { status: 'not_found' };
      case 'settled':
        atMost(1, all, 'cancel: settled');
        return {
          status: 'settled',
          state: aString(all[1], 'cancel: settled.state'),
        };
      case 'stale_term':
        atMost(1, all, 'cancel: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'cancel: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'cancel: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'cancel: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'cancel: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'cancel', 'ok | not_found | settled | stale_term | other_layout | late_call');
    }
  },
  source: `#!lua flags=allow-oom
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local runs, expiry, ended, past, counts, wake, epoch = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms, lane, call, id, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if term ~= '' then
  local accepted = redis.call('HMGET', epoch, 'term', 'token')
  if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', runs) redis.call('ZCARD', expiry) redis.call('ZCARD', due) redis.call('XLEN', stream)
redis.call('XLEN', ended) redis.call('HLEN', past) redis.call('HLEN', counts)
local record, entry, reply = redis.call('HGET', tasks, id), redis.call('HGET', live, id), nil
if not record then
  local last = redis.call('HGET', past, id)
  reply = last and {'settled', string.match(last, '^%a+')} or {'not_found'}
else
  local was = 'scheduled'
  if entry then
    local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
    was = owned[1] and 'active' or 'ready'
  end
  local name = string.match(string.sub(record, 1, 4096), '^%[%d+,"([^"\\\\]*)"') or ''
  local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'cancelled', 'name', name, 'at', now_ms, 'entry', entry or '')
  redis.call('HSET', past, id, 'cancelled:' .. e .. ':' .. (entry or ''))
  redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
  redis.call('ZREM', due, id) redis.call('HDEL', live, id)
  if entry then
    redis.pcall('XACK', stream, 'workers', entry) -- there may be no group yet
    redis.call('XDEL', stream, entry)
  end
  redis.call('HINCRBY', counts, 'cancelled', 1)
  if was == 'active' then redis.call('PUBLISH', wake, 'cancelled ' .. id) end
  reply = {'ok', was, name}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface ClaimKeys {
  /** hash: layout, audit */
  meta: string;
  /** hash: {term, token, leader, since_ms, seen_ms, ttl_ms} */
  epoch: string;
  /** stream: while a campaign looks on: who led */
  audit: string;
}

export interface ClaimArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  term: string;
  /** random, of this leader in this term */
  token: string;
  /** who that is, for people */
  leader: string;
  /** silent for longer: nobody leads */
  ttlMs: number;
}

export type ClaimReply =
  | { status: 'ok' }
  | { status: 'higher'; term: string }
  | { status: 'other_layout'; layout: string };

/** make a term that was won at the queue's first partition the accepted one here, before the first write under it. */
export const claim: Script<ClaimKeys, ClaimArgs, ClaimReply> = {
  name: 'claim',
  sha1: '24f90161a80e05913a4ff1483555f2a4fce4835d',
  keys: ['meta', 'epoch', 'audit'],
  args: ['layout', 'nowMs', 'term', 'token', 'leader', 'ttlMs'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '24f90161a80e05913a4ff1483555f2a4fce4835d',
    '3',
    word(keys.meta, 'claim: meta'),
    word(keys.epoch, 'claim: epoch'),
    word(keys.audit, 'claim: audit'),
    word(args.layout, 'claim: layout'),
    word(args.nowMs, 'claim: nowMs'),
    word(args.term, 'claim: term'),
    word(args.token, 'claim: token'),
    word(args.leader, 'claim: leader'),
    word(args.ttlMs, 'claim: ttlMs'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(0, all, 'claim: ok');
        return { status: 'ok' };
      case 'higher':
        atMost(1, all, 'claim: higher');
        return {
          status: 'higher',
          term: aString(all[1], 'claim: higher.term'),
        };
      case 'other_layout':
        atMost(1, all, 'claim: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'claim: other_layout.layout'),
        };
      default:
        throw strange(reply, 'claim', 'ok | higher | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
`,
};

export interface CreateKeys {
  /** hash: layout */
  meta: string;
}

export interface CreateArgs {
  /** format/partitions */
  layout: string;
}

export type CreateReply = { status: 'ok'; layout: string };

/** settle how many partitions a queue has, unless that is settled. On the first of them. */
export const create: Script<CreateKeys, CreateArgs, CreateReply> = {
  name: 'create',
  sha1: '7f02c48769ed8d1d55e29792d39df4e357904cf1',
  keys: ['meta'],
  args: ['layout'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '7f02c48769ed8d1d55e29792d39df4e357904cf1',
    '1',
    word(keys.meta, 'create: meta'),
    word(args.layout, 'create: layout'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'create: ok');
        return {
          status: 'ok',
          layout: aString(all[1], 'create: ok.layout'),
        };
      default:
        throw strange(reply, 'create', 'ok');
    }
  },
  source: `#!lua flags=allow-oom
local meta, layout = KEYS[1], ARGV[1]
redis.call('HSETNX', meta, 'layout', layout)
return {'ok', redis.call('HGET', meta, 'layout')}
`,
};

export interface ExpireKeys {
  /** hash: layout */
  meta: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> record */
  tasks: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface ExpireArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  term: string;
  token: string;
  /** pending ones met by the calls before this one */
  skip: number;
  /** 1..1000 */
  limit: number;
}

export type ExpireReply =
  | { status: 'ok'; looked: number; pending: number; expired: { id: string; name: string }[] }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string };

/** end tasks that were not started in time, wherever they wait. Leader only. */
export const expire: Script<ExpireKeys, ExpireArgs, ExpireReply> = {
  name: 'expire',
  sha1: 'fc70183a34d419241931c69e6efea8947bd4c730',
  keys: ['meta', 'epoch', 'due', 'stream', 'live', 'tasks', 'runs', 'expiry', 'ended', 'past', 'counts'],
  args: ['layout', 'nowMs', 'term', 'token', 'skip', 'limit'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    'fc70183a34d419241931c69e6efea8947bd4c730',
    '11',
    word(keys.meta, 'expire: meta'),
    word(keys.epoch, 'expire: epoch'),
    word(keys.due, 'expire: due'),
    word(keys.stream, 'expire: stream'),
    word(keys.live, 'expire: live'),
    word(keys.tasks, 'expire: tasks'),
    word(keys.runs, 'expire: runs'),
    word(keys.expiry, 'expire: expiry'),
    word(keys.ended, 'expire: ended'),
    word(keys.past, 'expire: past'),
    word(keys.counts, 'expire: counts'),
    word(args.layout, 'expire: layout'),
    word(args.nowMs, 'expire: nowMs'),
    word(args.term, 'expire: term'),
    word(args.token, 'expire: token'),
    word(args.skip, 'expire: skip'),
    word(args.limit, 'expire: limit'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(3, all, 'expire: ok');
        return {
          status: 'ok',
          looked: anInt(all[1], 'expire: ok.looked'),
          pending: anInt(all[2], 'expire: ok.pending'),
          expired: groups(all[3], {
            size: 2,
            where: 'expire: ok.expired',
            read: (list, at) => ({
              id: aString(list[at], 'expire: ok.expired.id'),
              name: aString(list[at + 1], 'expire: ok.expired.name'),
            }),
          }),
        };
      case 'stale_term':
        atMost(1, all, 'expire: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'expire: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'expire: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'expire: other_layout.layout'),
        };
      default:
        throw strange(reply, 'expire', 'ok | stale_term | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
      local name = size < 4096 and string.match(redis.call('HGET', tasks, id), '^%[%d+,"([^"\\\\]*)"') or ''
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
`,
};

export interface GetKeys {
  /** hash: layout */
  meta: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** stream: the dead letters; a letter's number is its stream id */
  dead: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
}

export interface GetArgs {
  layout: string;
  id: string;
}

export type GetReply =
  | {
      status: 'ok';
      state: string;
      dueMs: number;
      record: string;
      run: string | null;
      deliveries: number;
      expiresMs: number | null;
    }
  | { status: 'settled'; state: string; number: string; fields: string[] }
  | { status: 'not_found' }
  | { status: 'other_layout'; layout: string };

/** all there is to know of one task. */
export const get: Script<GetKeys, GetArgs, GetReply> = {
  name: 'get',
  sha1: '7b97975e3a671ea517dbdac3cc06a43b45d10d8e',
  keys: ['meta', 'due', 'tasks', 'stream', 'live', 'runs', 'expiry', 'ended', 'dead', 'past'],
  args: ['layout', 'id'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '7b97975e3a671ea517dbdac3cc06a43b45d10d8e',
    '10',
    word(keys.meta, 'get: meta'),
    word(keys.due, 'get: due'),
    word(keys.tasks, 'get: tasks'),
    word(keys.stream, 'get: stream'),
    word(keys.live, 'get: live'),
    word(keys.runs, 'get: runs'),
    word(keys.expiry, 'get: expiry'),
    word(keys.ended, 'get: ended'),
    word(keys.dead, 'get: dead'),
    word(keys.past, 'get: past'),
    word(args.layout, 'get: layout'),
    word(args.id, 'get: id'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(6, all, 'get: ok');
        return {
          status: 'ok',
          state: aString(all[1], 'get: ok.state'),
          dueMs: anInt(all[2], 'get: ok.dueMs'),
          record: aString(all[3], 'get: ok.record'),
          run: aStringOrNull(all[4], 'get: ok.run'),
          deliveries: anInt(all[5], 'get: ok.deliveries'),
          expiresMs: anIntOrNull(all[6], 'get: ok.expiresMs'),
        };
      case 'settled':
        atMost(3, all, 'get: settled');
        return {
          status: 'settled',
          state: aString(all[1], 'get: settled.state'),
          number: aString(all[2], 'get: settled.number'),
          fields: strings(all[3], 'get: settled.fields'),
        };
      case 'not_found':
        atMost(0, all, 'get: not_found');
        return { status: 'not_found' };
      case 'other_layout':
        atMost(1, all, 'get: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'get: other_layout.layout'),
        };
      default:
        throw strange(reply, 'get', 'ok | settled | not_found | other_layout');
    }
  },
  source: `#!lua flags=no-writes
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
local function sane_ms(ms) return ms and math.min(math.max(0, math.ceil(ms)), 9e15) or false end
local run, expires_ms = redis.call('HGET', runs, id), sane_ms(tonumber(redis.call('ZSCORE', expiry, id) or ''))
local due_ms, entry = redis.call('ZSCORE', due, id), redis.call('HGET', live, id)
if due_ms then return {'ok', 'scheduled', sane_ms(due_ms), record, run, 0, expires_ms} end
local found = entry and redis.call('XRANGE', stream, entry, entry)[1]
if not found then return {'ok', 'lost', 0, record, run, 0, expires_ms} end
local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
local state = owned[1] and 'active' or 'ready'
return {'ok', state, sane_ms(tonumber(found[2][4])) or 0, record, run, owned[1] and owned[1][4] or 0, expires_ms}
`,
};

export interface GrowKeys {
  /** hash: layout, paused, waits, split_ms, split_mark */
  meta: string;
}

export interface GrowArgs {
  /** format/partitions, and '<n' for each number it has grown from and is not done with */
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** the layout it is taken to have; '' = none yet */
  from: string;
  /** of a partition that has none yet, and is new in this growth: paused, as the queue is; else '' */
  waits: string;
}

export type GrowReply = { status: 'ok'; paused: number } | { status: 'other_layout'; layout: string };

/** make a partition one of a larger layout, or tell it that the growth is over. Anybody, whoever finds it behind. */
export const grow: Script<GrowKeys, GrowArgs, GrowReply> = {
  name: 'grow',
  sha1: '4b31506fe95ce8e47016ad5fc60a0b090d335385',
  keys: ['meta'],
  args: ['layout', 'nowMs', 'from', 'waits'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '4b31506fe95ce8e47016ad5fc60a0b090d335385',
    '1',
    word(keys.meta, 'grow: meta'),
    word(args.layout, 'grow: layout'),
    word(args.nowMs, 'grow: nowMs'),
    word(args.from, 'grow: from'),
    word(args.waits, 'grow: waits'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'grow: ok');
        return {
          status: 'ok',
          paused: anInt(all[1], 'grow: ok.paused'),
        };
      case 'other_layout':
        atMost(1, all, 'grow: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'grow: other_layout.layout'),
        };
      default:
        throw strange(reply, 'grow', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta = KEYS[1]
local layout, now_ms, from, waits = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits')
local paused = tonumber(at[2] or '0')
if at[1] == layout then return {'ok', paused} end
if (at[1] or '') ~= from then return {'other_layout', at[1] or ''} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HSET', meta, 'layout', layout)
if not string.find(layout, '<', 1, true) then
  if at[3] then redis.call('HSET', meta, 'paused', at[3]) end
  redis.call('HDEL', meta, 'split_ms', 'split_mark', 'waits')
elseif from ~= '' then
  redis.call('HSET', meta, 'split_ms', string.format('%.0f', now_ms))
  redis.call('HDEL', meta, 'split_mark')
elseif waits ~= '' then
  redis.call('HSET', meta, 'waits', waits, 'paused', 1)
end
return {'ok', paused}
`,
};

export interface HandBackKeys {
  /** hash: layout, paused */
  meta: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: what happened here, by name */
  counts: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** channel: 'due <ms>' when a task became the earliest */
  wake: string;
}

export interface HandBackArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** the name these deliveries were read under */
  consumer: string;
  /** 0 = to the stream at once; else back to the schedule */
  delayMs: number;
  items: readonly { entry: string; count: number; id: string; dueMs: number; run: string }[];
}

export type HandBackReply = { status: 'ok'; marks: string } | { status: 'other_layout'; layout: string };

/** return deliveries unstarted, so that another consumer gets them at once, or after a delay. */
export const handBack: Script<HandBackKeys, HandBackArgs, HandBackReply> = {
  name: 'hand-back',
  sha1: '05508d8bd7f2f858788e26f6e05c0621202bb65e',
  keys: ['meta', 'due', 'stream', 'live', 'counts', 'runs', 'wake'],
  args: ['layout', 'nowMs', 'consumer', 'delayMs'],
  items: ['entry', 'count', 'id', 'dueMs', 'run'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '05508d8bd7f2f858788e26f6e05c0621202bb65e',
      '7',
      word(keys.meta, 'hand-back: meta'),
      word(keys.due, 'hand-back: due'),
      word(keys.stream, 'hand-back: stream'),
      word(keys.live, 'hand-back: live'),
      word(keys.counts, 'hand-back: counts'),
      word(keys.runs, 'hand-back: runs'),
      word(keys.wake, 'hand-back: wake'),
      word(args.layout, 'hand-back: layout'),
      word(args.nowMs, 'hand-back: nowMs'),
      word(args.consumer, 'hand-back: consumer'),
      word(args.delayMs, 'hand-back: delayMs'),
    ];
    for (const item of args.items) {
      words.push(word(item.entry, 'hand-back: entry'), word(item.count, 'hand-back: count'), word(item.id, 'hand-back: id'), word(item.dueMs, 'hand-back: dueMs'), word(item.run, 'hand-back: run'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'hand-back: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'hand-back: ok.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'hand-back: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'hand-back: other_layout.layout'),
        };
      default:
        throw strange(reply, 'hand-back', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, due, stream, live, counts, runs, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, consumer, delay_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local at = redis.call('HMGET', meta, 'layout', 'paused')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.ceil(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('HLEN', counts) redis.call('ZCARD', due)
redis.call('HLEN', runs)
local marks, ends, later = {}, {}, false
for i = 5, #ARGV, 5 do
  local entry, count, id, due_ms, run = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local mine = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1]
  local mark = 'l'
  if mine and mine[4] == count and redis.call('HGET', live, id) == entry then
    mark = 'o'
    if run ~= '' then redis.call('HSET', runs, id, run) end
    if delay_ms > 0 or at[2] == '1' then
      local again_ms = delay_ms > 0 and string.format('%.0f', now_ms + delay_ms) or due_ms
      redis.call('ZADD', due, again_ms, id)
      redis.call('HDEL', live, id)
      later = true
    else
      redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', due_ms))
    end
    ends[#ends + 1] = entry
  end
  marks[#marks + 1] = mark
end
if #ends > 0 then
  redis.call('XACK', stream, 'workers', unpack(ends))
  redis.call('XDEL', stream, unpack(ends))
  redis.call('HINCRBY', counts, 'handed_back', #ends)
end
if later then redis.call('PUBLISH', wake, 'due ' .. redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]) end
return {'ok', table.concat(marks)}
`,
};

export interface HandedOutKeys {
  /** hash: layout, waits, split_ms, split_mark */
  meta: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
}

export interface HandedOutArgs {
  layout: string;
}

export type HandedOutReply = { status: 'ok'; done: number } | { status: 'other_layout'; layout: string };

/** whether all that was due here when the queue grew has been handed out. The leader's, while a queue grows. */
export const handedOut: Script<HandedOutKeys, HandedOutArgs, HandedOutReply> = {
  name: 'handed-out',
  sha1: 'd0c5d9a956951c04307d340e527c70edcb889392',
  keys: ['meta', 'due', 'stream'],
  args: ['layout'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    'd0c5d9a956951c04307d340e527c70edcb889392',
    '3',
    word(keys.meta, 'handed-out: meta'),
    word(keys.due, 'handed-out: due'),
    word(keys.stream, 'handed-out: stream'),
    word(args.layout, 'handed-out: layout'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'handed-out: ok');
        return {
          status: 'ok',
          done: anInt(all[1], 'handed-out: ok.done'),
        };
      case 'other_layout':
        atMost(1, all, 'handed-out: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'handed-out: other_layout.layout'),
        };
      default:
        throw strange(reply, 'handed-out', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, due, stream = KEYS[1], KEYS[2], KEYS[3]
local layout = ARGV[1]
local at = redis.call('HMGET', meta, 'layout', 'waits', 'split_ms', 'split_mark')
if at[1] ~= layout then return {'other_layout', at[1] or ''} end
if at[2] then return {'ok', 0} end
if not at[3] then return {'ok', 1} end
local mark = at[4]
if not mark then
  if redis.call('ZCOUNT', due, '-inf', at[3]) > 0 then return {'ok', 0} end
  mark = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  mark = mark and mark[1] or '0-0'
  redis.call('HSET', meta, 'split_mark', mark)
end
local delivered = '0-0'
for _, one in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
  for i = 1, #one, 2 do if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end end
end
if redis.call('XRANGE', stream, '(' .. delivered, mark, 'COUNT', 1)[1] then return {'ok', 0} end
redis.call('HDEL', meta, 'split_ms', 'split_mark')
return {'ok', 1}
`,
};

export interface HasKeys {
  /** hash: layout */
  meta: string;
  /** hash: task id -> record */
  tasks: string;
}

export interface HasArgs {
  layout: string;
  items: readonly { id: string }[];
}

export type HasReply = { status: 'ok'; marks: string } | { status: 'other_layout'; layout: string };

/** which of these ids live here. A producer's, where they belonged before the queue grew, before it adds them. */
export const has: Script<HasKeys, HasArgs, HasReply> = {
  name: 'has',
  sha1: 'c8d99b27cc03ab9aa8d559f9508067313de509cd',
  keys: ['meta', 'tasks'],
  args: ['layout'],
  items: ['id'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      'c8d99b27cc03ab9aa8d559f9508067313de509cd',
      '2',
      word(keys.meta, 'has: meta'),
      word(keys.tasks, 'has: tasks'),
      word(args.layout, 'has: layout'),
    ];
    for (const item of args.items) {
      words.push(word(item.id, 'has: id'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'has: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'has: ok.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'has: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'has: other_layout.layout'),
        };
      default:
        throw strange(reply, 'has', 'ok | other_layout');
    }
  },
  source: `#!lua flags=no-writes
local meta, tasks = KEYS[1], KEYS[2]
local layout = ARGV[1]
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout then return {'other_layout', stored or ''} end
local marks = {}
for i = 2, #ARGV do marks[#marks + 1] = redis.call('HEXISTS', tasks, ARGV[i]) == 1 and 'y' or 'n' end
return {'ok', table.concat(marks)}
`,
};

export interface JoinKeys {
  /** hash: layout, group */
  meta: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: consumer -> 'lease_ms beat_ms worker' */
  consumers: string;
}

export interface JoinArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** new for every connection, and after a re-created group */
  consumer: string;
  /** who that is, for people */
  worker: string;
  leaseMs: number;
}

export type JoinReply = { status: 'ok'; nowMs: number; group: number } | { status: 'other_layout'; layout: string };

/** make a new consumer known, and the group with it: before its first read. */
export const join: Script<JoinKeys, JoinArgs, JoinReply> = {
  name: 'join',
  sha1: '28d07ef2ebef28fb19d9ec02fd867484b6233571',
  keys: ['meta', 'stream', 'consumers'],
  args: ['layout', 'nowMs', 'consumer', 'worker', 'leaseMs'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '28d07ef2ebef28fb19d9ec02fd867484b6233571',
    '3',
    word(keys.meta, 'join: meta'),
    word(keys.stream, 'join: stream'),
    word(keys.consumers, 'join: consumers'),
    word(args.layout, 'join: layout'),
    word(args.nowMs, 'join: nowMs'),
    word(args.consumer, 'join: consumer'),
    word(args.worker, 'join: worker'),
    word(args.leaseMs, 'join: leaseMs'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'join: ok');
        return {
          status: 'ok',
          nowMs: anInt(all[1], 'join: ok.nowMs'),
          group: anInt(all[2], 'join: ok.group'),
        };
      case 'other_layout':
        atMost(1, all, 'join: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'join: other_layout.layout'),
        };
      default:
        throw strange(reply, 'join', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, stream, consumers = KEYS[1], KEYS[2], KEYS[3]
local layout, now_ms, consumer, worker, lease_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout and (stored or string.find(layout, '<', 1, true)) then return {'other_layout', stored or ''} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', consumers)
local made = redis.pcall('XGROUP', 'CREATE', stream, 'workers', '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
if not stored then redis.call('HSET', meta, 'layout', layout) end
if not made.err then redis.call('HINCRBY', meta, 'group', 1) end
redis.call('XGROUP', 'CREATECONSUMER', stream, 'workers', consumer)
redis.call('HSET', consumers, consumer, lease_ms .. ' ' .. string.format('%.0f', now_ms) .. ' ' .. worker)
return {'ok', now_ms, tonumber(redis.call('HGET', meta, 'group') or 0)}
`,
};

export interface LeadKeys {
  /** hash: layout, audit */
  meta: string;
  /** hash: {term, token, leader, since_ms, seen_ms, ttl_ms} */
  epoch: string;
  /** stream: while a campaign looks on: who led */
  audit: string;
}

export interface LeadArgs {
  layout: string;
  /** 0 = this server's clock */
  nowUs: number;
  /** the epoch read before the bid; '' = none */
  term: string;
  token: string;
  /** random, of this leader in this term */
  newToken: string;
  /** who that is, for people */
  leader: string;
  /** silent for longer: nobody leads */
  ttlMs: number;
  /** a term that stands elsewhere; the new one is higher. '0' = none is known */
  above: string;
}

export type LeadReply =
  | { status: 'ok'; term: number }
  | { status: 'lost'; term: string }
  | { status: 'other_layout'; layout: string };

/** take a new term, after the vote was won: a compare-and-set on the epoch as it was read before the bid. */
export const lead: Script<LeadKeys, LeadArgs, LeadReply> = {
  name: 'lead',
  sha1: '58f02bca09be1321c861f13cba9dfbb7ea1c02dd',
  keys: ['meta', 'epoch', 'audit'],
  args: ['layout', 'nowUs', 'term', 'token', 'newToken', 'leader', 'ttlMs', 'above'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '58f02bca09be1321c861f13cba9dfbb7ea1c02dd',
    '3',
    word(keys.meta, 'lead: meta'),
    word(keys.epoch, 'lead: epoch'),
    word(keys.audit, 'lead: audit'),
    word(args.layout, 'lead: layout'),
    word(args.nowUs, 'lead: nowUs'),
    word(args.term, 'lead: term'),
    word(args.token, 'lead: token'),
    word(args.newToken, 'lead: newToken'),
    word(args.leader, 'lead: leader'),
    word(args.ttlMs, 'lead: ttlMs'),
    word(args.above, 'lead: above'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'lead: ok');
        return {
          status: 'ok',
          term: anInt(all[1], 'lead: ok.term'),
        };
      case 'lost':
        atMost(1, all, 'lead: lost');
        return {
          status: 'lost',
          term: aString(all[1], 'lead: lost.term'),
        };
      case 'other_layout':
        atMost(1, all, 'lead: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'lead: other_layout.layout'),
        };
      default:
        throw strange(reply, 'lead', 'ok | lost | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
`,
};

export interface LeaveKeys {
  /** stream: {id, due} */
  stream: string;
  /** hash: consumer -> 'lease_ms beat_ms worker' */
  consumers: string;
}

export interface LeaveArgs {
  consumer: string;
}

export type LeaveReply = { status: 'ok' } | { status: 'busy' };

/** a consumer that ends says so, and is forgotten, unless something is still pending with it. */
export const leave: Script<LeaveKeys, LeaveArgs, LeaveReply> = {
  name: 'leave',
  sha1: '580cd634b356bce1d5f0b2d29641668dd3c8206d',
  keys: ['stream', 'consumers'],
  args: ['consumer'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '580cd634b356bce1d5f0b2d29641668dd3c8206d',
    '2',
    word(keys.stream, 'leave: stream'),
    word(keys.consumers, 'leave: consumers'),
    word(args.consumer, 'leave: consumer'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(0, all, 'leave: ok');
        return { status: 'ok' };
      case 'busy':
        atMost(0, all, 'leave: busy');
        return { status: 'busy' };
      default:
        throw strange(reply, 'leave', 'ok | busy');
    }
  },
  source: `#!lua flags=allow-oom
local stream, consumers = KEYS[1], KEYS[2]
local consumer = ARGV[1]
redis.call('XLEN', stream) redis.call('HLEN', consumers)
local pending = redis.pcall('XPENDING', stream, 'workers', '-', '+', 1, consumer)
if pending[1] then return {'busy'} end
redis.pcall('XGROUP', 'DELCONSUMER', stream, 'workers', consumer)
redis.call('HDEL', consumers, consumer)
return {'ok'}
`,
};

export interface ListKeys {
  /** hash: layout */
  meta: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
}

export interface ListArgs {
  layout: string;
  /** scheduled, ready or active */
  state: string;
  /** '' from the start, or what the last call gave */
  after: string;
  /** 1..1000 */
  limit: number;
}

export type ListReply = { status: 'ok'; ids: string[]; after: string } | { status: 'other_layout'; layout: string };

/** the ids of the tasks in one state, in pages. */
export const list: Script<ListKeys, ListArgs, ListReply> = {
  name: 'list',
  sha1: '69a8df67614f683fa94737ef335fa3e6caca08b0',
  keys: ['meta', 'due', 'stream', 'live'],
  args: ['layout', 'state', 'after', 'limit'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '69a8df67614f683fa94737ef335fa3e6caca08b0',
    '4',
    word(keys.meta, 'list: meta'),
    word(keys.due, 'list: due'),
    word(keys.stream, 'list: stream'),
    word(keys.live, 'list: live'),
    word(args.layout, 'list: layout'),
    word(args.state, 'list: state'),
    word(args.after, 'list: after'),
    word(args.limit, 'list: limit'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'list: ok');
        return {
          status: 'ok',
          ids: strings(all[1], 'list: ok.ids'),
          after: aString(all[2], 'list: ok.after'),
        };
      case 'other_layout':
        atMost(1, all, 'list: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'list: other_layout.layout'),
        };
      default:
        throw strange(reply, 'list', 'ok | other_layout');
    }
  },
  source: `#!lua flags=no-writes
local meta, due, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, state, after, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local ids = {}
if state == 'scheduled' then
  local from, score, last_id = 0, string.match(after, '^(%S+) (.*)$')
  if score then
    local low, high = redis.call('ZCOUNT', due, '-inf', '(' .. score), redis.call('ZCOUNT', due, '-inf', score)
    while low < high do
      local middle, at = math.floor((low + high) / 2), 1
      local id = redis.call('ZRANGE', due, middle, middle)[1]
      while at <= #id and string.byte(id, at) == string.byte(last_id, at) do at = at + 1 end
      if (string.byte(id, at) or -1) <= (string.byte(last_id, at) or -1) then low = middle + 1 else high = middle end
    end
    from = low
  end
  local found = redis.call('ZRANGE', due, from, from + limit - 1, 'WITHSCORES')
  for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
  return {'ok', ids, #ids == limit and found[#found] .. ' ' .. found[#found - 1] or ''}
end
local group = redis.pcall('XINFO', 'GROUPS', stream)
local delivered = '0-0'
for _, one in ipairs(group) do
  for i = 1, #one, 2 do if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end end
end
local entries, last = {}, nil
if state == 'ready' then
  entries = redis.call('XRANGE', stream, '(' .. (after ~= '' and after or delivered), '+', 'COUNT', limit)
else
  local pending = redis.pcall('XPENDING', stream, 'workers', after ~= '' and '(' .. after or '-', '+', limit)
  for _, one in ipairs(pending) do
    last = one[1]
    entries[#entries + 1] = redis.call('XRANGE', stream, last, last)[1]
  end
  if #pending < limit then last = nil end
end
for _, entry in ipairs(entries) do
  if redis.call('HGET', live, entry[2][2]) == entry[1] then ids[#ids + 1] = entry[2][2] end
  if state == 'ready' and #entries == limit then last = entry[1] end
end
return {'ok', ids, last or ''}
`,
};

export interface NextKeys {
  /** hash: layout, paused, audit, group */
  meta: string;
  /** hash: lane -> {call, at_ms, marks} of its last call */
  lanes: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
  /** stream: while a campaign looks on: what ended, and by whom */
  audit: string;
}

export interface NextArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  /** the name that what ends was read under, and what comes is read under */
  consumer: string;
  /** the number of the group it joined; '' = any. In another group a name is no proof of ownership */
  group: string;
  /** how many to read: the consumer's free slots, 0..1000; more would starve the others */
  free: number;
  /** records beyond this many bytes are left to open */
  bytesMax: number;
  /** 1 = the items are all that the stream has from the first to the last, in order: one read brought them */
  inRow: number;
  items: readonly { entry: string; count: number; id: string }[];
}

export type NextReply =
  | {
      status: 'ok';
      marks: string;
      nowMs: number;
      deliveries: { entry: string; id: string; dueMs: number; record: string; run: string | null }[];
      unopened: { entry: string; id: string; dueMs: number }[];
      expired: { id: string; name: string }[];
      stale: number;
    }
  | { status: 'paused'; marks: string }
  | { status: 'no_group'; marks: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** end the deliveries whose handlers have returned, and read and open what comes next, in one step. A consumer's. */
export const next: Script<NextKeys, NextArgs, NextReply> = {
  name: 'next',
  sha1: '6d6e12afe35e891eed432ee25c98dce2bf9dea04',
  keys: ['meta', 'lanes', 'tasks', 'stream', 'live', 'runs', 'expiry', 'ended', 'past', 'counts', 'audit'],
  args: ['layout', 'nowMs', 'lane', 'call', 'consumer', 'group', 'free', 'bytesMax', 'inRow'],
  items: ['entry', 'count', 'id'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '6d6e12afe35e891eed432ee25c98dce2bf9dea04',
      '11',
      word(keys.meta, 'next: meta'),
      word(keys.lanes, 'next: lanes'),
      word(keys.tasks, 'next: tasks'),
      word(keys.stream, 'next: stream'),
      word(keys.live, 'next: live'),
      word(keys.runs, 'next: runs'),
      word(keys.expiry, 'next: expiry'),
      word(keys.ended, 'next: ended'),
      word(keys.past, 'next: past'),
      word(keys.counts, 'next: counts'),
      word(keys.audit, 'next: audit'),
      word(args.layout, 'next: layout'),
      word(args.nowMs, 'next: nowMs'),
      word(args.lane, 'next: lane'),
      word(args.call, 'next: call'),
      word(args.consumer, 'next: consumer'),
      word(args.group, 'next: group'),
      word(args.free, 'next: free'),
      word(args.bytesMax, 'next: bytesMax'),
      word(args.inRow, 'next: inRow'),
    ];
    for (const item of args.items) {
      words.push(word(item.entry, 'next: entry'), word(item.count, 'next: count'), word(item.id, 'next: id'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(6, all, 'next: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'next: ok.marks'),
          nowMs: anInt(all[2], 'next: ok.nowMs'),
          deliveries: groups(all[3], {
            size: 5,
            where: 'next: ok.deliveries',
            read: (list, at) => ({
              entry: aString(list[at], 'next: ok.deliveries.entry'),
              id: aString(list[at + 1], 'next: ok.deliveries.id'),
              dueMs: anInt(list[at + 2], 'next: ok.deliveries.dueMs'),
              record: aString(list[at + 3], 'next: ok.deliveries.record'),
              run: aStringOrNull(list[at + 4], 'next: ok.deliveries.run'),
            }),
          }),
          unopened: groups(all[4], {
            size: 3,
            where: 'next: ok.unopened',
            read: (list, at) => ({
              entry: aString(list[at], 'next: ok.unopened.entry'),
              id: aString(list[at + 1], 'next: ok.unopened.id'),
              dueMs: anInt(list[at + 2], 'next: ok.unopened.dueMs'),
            }),
          }),
          expired: groups(all[5], {
            size: 2,
            where: 'next: ok.expired',
            read: (list, at) => ({
              id: aString(list[at], 'next: ok.expired.id'),
              name: aString(list[at + 1], 'next: ok.expired.name'),
            }),
          }),
          stale: anInt(all[6], 'next: ok.stale'),
        };
      case 'paused':
        atMost(1, all, 'next: paused');
        return {
          status: 'paused',
          marks: aString(all[1], 'next: paused.marks'),
        };
      case 'no_group':
        atMost(1, all, 'next: no_group');
        return {
          status: 'no_group',
          marks: aString(all[1], 'next: no_group.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'next: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'next: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'next: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'next', 'ok | paused | no_group | other_layout | late_call');
    }
  },
  source: `#!lua flags=allow-oom
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
    local name = string.match(record, '^%[%d+,"([^"\\\\]*)"') or ''
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
`,
};

export interface OpenKeys {
  /** hash: layout, paused, group */
  meta: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> record */
  tasks: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface OpenArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  consumer: string;
  /** the number of the group it joined; '' = any */
  group: string;
  /** records beyond this many bytes are left to the next open */
  bytesMax: number;
  /** '' = the items; else, without items, what its consumer has read beyond this entry */
  after: string;
  items: readonly { entry: string; id: string; dueMs: number }[];
}

export type OpenReply =
  | {
      status: 'ok';
      nowMs: number;
      deliveries: { entry: string; id: string; dueMs: number; record: string; run: string | null }[];
      unopened: { entry: string; id: string; dueMs: number }[];
      expired: { id: string; name: string }[];
      stale: number;
      putBack: number;
    }
  | { status: 'other_layout'; layout: string };

/** make deliveries startable: the last look before a handler runs. A consumer's, right behind a blocking read. */
export const open: Script<OpenKeys, OpenArgs, OpenReply> = {
  name: 'open',
  sha1: '12ff3ab9980ea9be955a8f19b6d6a740fafa0a5e',
  keys: ['meta', 'due', 'stream', 'live', 'tasks', 'runs', 'expiry', 'ended', 'past', 'counts'],
  args: ['layout', 'nowMs', 'consumer', 'group', 'bytesMax', 'after'],
  items: ['entry', 'id', 'dueMs'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '12ff3ab9980ea9be955a8f19b6d6a740fafa0a5e',
      '10',
      word(keys.meta, 'open: meta'),
      word(keys.due, 'open: due'),
      word(keys.stream, 'open: stream'),
      word(keys.live, 'open: live'),
      word(keys.tasks, 'open: tasks'),
      word(keys.runs, 'open: runs'),
      word(keys.expiry, 'open: expiry'),
      word(keys.ended, 'open: ended'),
      word(keys.past, 'open: past'),
      word(keys.counts, 'open: counts'),
      word(args.layout, 'open: layout'),
      word(args.nowMs, 'open: nowMs'),
      word(args.consumer, 'open: consumer'),
      word(args.group, 'open: group'),
      word(args.bytesMax, 'open: bytesMax'),
      word(args.after, 'open: after'),
    ];
    for (const item of args.items) {
      words.push(word(item.entry, 'open: entry'), word(item.id, 'open: id'), word(item.dueMs, 'open: dueMs'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(6, all, 'open: ok');
        return {
          status: 'ok',
          nowMs: anInt(all[1], 'open: ok.nowMs'),
          deliveries: groups(all[2], {
            size: 5,
            where: 'open: ok.deliveries',
            read: (list, at) => ({
              entry: aString(list[at], 'open: ok.deliveries.entry'),
              id: aString(list[at + 1], 'open: ok.deliveries.id'),
              dueMs: anInt(list[at + 2], 'open: ok.deliveries.dueMs'),
              record: aString(list[at + 3], 'open: ok.deliveries.record'),
              run: aStringOrNull(list[at + 4], 'open: ok.deliveries.run'),
            }),
          }),
          unopened: groups(all[3], {
            size: 3,
            where: 'open: ok.unopened',
            read: (list, at) => ({
              entry: aString(list[at], 'open: ok.unopened.entry'),
              id: aString(list[at + 1], 'open: ok.unopened.id'),
              dueMs: anInt(list[at + 2], 'open: ok.unopened.dueMs'),
            }),
          }),
          expired: groups(all[4], {
            size: 2,
            where: 'open: ok.expired',
            read: (list, at) => ({
              id: aString(list[at], 'open: ok.expired.id'),
              name: aString(list[at + 1], 'open: ok.expired.name'),
            }),
          }),
          stale: anInt(all[5], 'open: ok.stale'),
          putBack: anInt(all[6], 'open: ok.putBack'),
        };
      case 'other_layout':
        atMost(1, all, 'open: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'open: other_layout.layout'),
        };
      default:
        throw strange(reply, 'open', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local runs, expiry, ended, past, counts = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local layout, now_ms, consumer, group = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local bytes_max, after = tonumber(ARGV[5]), ARGV[6]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'group')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local goes_back = at[2] == '1' or group ~= '' and (at[3] or '0') ~= group
redis.call('XLEN', stream) redis.call('ZCARD', due) redis.call('HLEN', counts)
local any_ran, any_expire = redis.call('HLEN', runs) > 0, redis.call('ZCARD', expiry) > 0
if any_expire then redis.call('XLEN', ended) redis.call('HLEN', past) end
local items, held = {unpack(ARGV, 7)}, {}
local from, to = after ~= '' and '(' .. after or items[1], after ~= '' and '+' or items[#items - 2]
for _, one in ipairs(redis.pcall('XPENDING', stream, 'workers', from, to, 1000, consumer)) do
  held[one[1]] = one[4]
  local read = after ~= '' and one[4] == 1 and redis.call('XRANGE', stream, one[1], one[1])[1]
  if read then for _, value in ipairs({read[1], read[2][2], read[2][4] or 0}) do items[#items + 1] = value end end
end
local ends, opened, deliveries, unopened, expired, bytes, stale, put_back = {}, {}, {}, {}, {}, 0, 0, 0
for i = 1, #items, 3 do
  local number, id, due_ms = items[i], items[i + 1], items[i + 2]
  if held[number] == 1 then
    local good, full = redis.call('HGET', live, id) == number, bytes >= bytes_max
    local record = good and not full and redis.call('HGET', tasks, id)
    if record then bytes = bytes + #record end
    local expires_ms = tonumber(any_expire and redis.call('ZSCORE', expiry, id) or math.huge)
    if good and full then
      unopened[#unopened + 1] = number unopened[#unopened + 1] = id unopened[#unopened + 1] = due_ms
    elseif not record or goes_back or expires_ms <= now_ms then
      if good then redis.call('HDEL', live, id) end
      ends[#ends + 1] = number
      if not record then
        if good then redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id) end
        stale = stale + 1
      elseif goes_back then
        redis.call('ZADD', due, due_ms, id)
        put_back = put_back + 1
      else
        local name = string.match(record, '^%[%d+,"([^"\\\\]*)"') or ''
        local e = redis.call('XADD', ended, '*', 'id', id, 'state', 'expired', 'name', name, 'at', now_ms, 'entry', number)
        redis.call('HDEL', tasks, id) redis.call('HDEL', runs, id) redis.call('ZREM', expiry, id)
        redis.call('HSET', past, id, 'expired:' .. e .. ':' .. number)
        expired[#expired + 1] = id expired[#expired + 1] = name
      end
    else
      opened[#opened + 1] = number
      local n = #deliveries
      deliveries[n + 1], deliveries[n + 2], deliveries[n + 3] = number, id, due_ms
      deliveries[n + 4], deliveries[n + 5] = record, any_ran and redis.call('HGET', runs, id)
    end
  end
end
if #opened > 0 and after == '' then -- what was read just now is idle for no time
  opened[#opened + 1] = 'JUSTID'
  redis.call('XCLAIM', stream, 'workers', consumer, 0, unpack(opened))
end
if #ends > 0 then
  redis.call('XACK', stream, 'workers', unpack(ends))
  redis.call('XDEL', stream, unpack(ends))
  if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
  if #expired > 0 then redis.call('HINCRBY', counts, 'expired', #expired / 2) end
end
return {'ok', now_ms, deliveries, unopened, expired, stale, put_back}
`,
};

export interface PauseKeys {
  /** hash: layout, paused, waits */
  meta: string;
  /** channel: what waits is told here */
  wake: string;
}

export interface PauseArgs {
  layout: string;
  /** 1 = pause, 0 = resume */
  paused: number;
}

export type PauseReply = { status: 'ok'; was: number } | { status: 'other_layout'; layout: string };

/** stop or resume handing out tasks. */
export const pause: Script<PauseKeys, PauseArgs, PauseReply> = {
  name: 'pause',
  sha1: 'a929875af29cf015cf11e8e5d541225967f2ec8e',
  keys: ['meta', 'wake'],
  args: ['layout', 'paused'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    'a929875af29cf015cf11e8e5d541225967f2ec8e',
    '2',
    word(keys.meta, 'pause: meta'),
    word(keys.wake, 'pause: wake'),
    word(args.layout, 'pause: layout'),
    word(args.paused, 'pause: paused'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'pause: ok');
        return {
          status: 'ok',
          was: anInt(all[1], 'pause: ok.was'),
        };
      case 'other_layout':
        atMost(1, all, 'pause: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'pause: other_layout.layout'),
        };
      default:
        throw strange(reply, 'pause', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, wake = KEYS[1], KEYS[2]
local layout, paused = ARGV[1], tonumber(ARGV[2])
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits')
if at[1] ~= layout and (at[1] or string.find(layout, '<', 1, true)) then return {'other_layout', at[1] or ''} end
redis.call('HSET', meta, 'layout', layout, at[3] and 'waits' or 'paused', paused)
if not at[3] then redis.call('PUBLISH', wake, paused == 1 and 'paused' or 'resumed') end
return {'ok', tonumber(at[3] or at[2] or '0')}
`,
};

export interface PromoteKeys {
  /** hash: layout, paused, audit */
  meta: string;
  /** hash: {term, token} of the leader this partition accepts, and its last sign of life */
  epoch: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> record */
  tasks: string;
  /** hash: task id -> attempt and errors, of tasks that failed once */
  runs: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
  /** stream: while a campaign looks on: who moved what, and whose write was refused */
  audit: string;
}

export interface PromoteArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = without a term: only when the head is overdue by overdue_ms */
  term: string;
  token: string;
  overdueMs: number;
  /** 1..1000 */
  limit: number;
}

export type PromoteReply =
  | {
      status: 'ok';
      promoted: number;
      nextDueMs: number | null;
      nowMs: number;
      lagMs: number;
      dropped: number;
      expired: { id: string; name: string }[];
    }
  | { status: 'stale_term'; term: string }
  | { status: 'paused'; nowMs: number }
  | { status: 'other_layout'; layout: string };

/** move due tasks from the schedule to the stream. The leader's; without a term, anybody's when it is overdue. */
export const promote: Script<PromoteKeys, PromoteArgs, PromoteReply> = {
  name: 'promote',
  sha1: 'c45a65477a6610cf267d7aef8f045f0dd54db645',
  keys: ['meta', 'epoch', 'due', 'stream', 'live', 'tasks', 'runs', 'expiry', 'ended', 'past', 'counts', 'audit'],
  args: ['layout', 'nowMs', 'term', 'token', 'overdueMs', 'limit'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    'c45a65477a6610cf267d7aef8f045f0dd54db645',
    '12',
    word(keys.meta, 'promote: meta'),
    word(keys.epoch, 'promote: epoch'),
    word(keys.due, 'promote: due'),
    word(keys.stream, 'promote: stream'),
    word(keys.live, 'promote: live'),
    word(keys.tasks, 'promote: tasks'),
    word(keys.runs, 'promote: runs'),
    word(keys.expiry, 'promote: expiry'),
    word(keys.ended, 'promote: ended'),
    word(keys.past, 'promote: past'),
    word(keys.counts, 'promote: counts'),
    word(keys.audit, 'promote: audit'),
    word(args.layout, 'promote: layout'),
    word(args.nowMs, 'promote: nowMs'),
    word(args.term, 'promote: term'),
    word(args.token, 'promote: token'),
    word(args.overdueMs, 'promote: overdueMs'),
    word(args.limit, 'promote: limit'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(6, all, 'promote: ok');
        return {
          status: 'ok',
          promoted: anInt(all[1], 'promote: ok.promoted'),
          nextDueMs: anIntOrNull(all[2], 'promote: ok.nextDueMs'),
          nowMs: anInt(all[3], 'promote: ok.nowMs'),
          lagMs: anInt(all[4], 'promote: ok.lagMs'),
          dropped: anInt(all[5], 'promote: ok.dropped'),
          expired: groups(all[6], {
            size: 2,
            where: 'promote: ok.expired',
            read: (list, at) => ({
              id: aString(list[at], 'promote: ok.expired.id'),
              name: aString(list[at + 1], 'promote: ok.expired.name'),
            }),
          }),
        };
      case 'stale_term':
        atMost(1, all, 'promote: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'promote: stale_term.term'),
        };
      case 'paused':
        atMost(1, all, 'promote: paused');
        return {
          status: 'paused',
          nowMs: anInt(all[1], 'promote: paused.nowMs'),
        };
      case 'other_layout':
        atMost(1, all, 'promote: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'promote: other_layout.layout'),
        };
      default:
        throw strange(reply, 'promote', 'ok | stale_term | paused | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
      local name = size < 4096 and string.match(redis.call('HGET', tasks, id), '^%[%d+,"([^"\\\\]*)"') or ''
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
`,
};

export interface PurgeKeys {
  /** hash: layout, paused */
  meta: string;
  /** stream: the dead letters; a letter's number is its stream id */
  dead: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface PurgeArgs {
  layout: string;
  /** the oldest letters, when no item is given: 0..1000 */
  limit: number;
  items: readonly { number: string }[];
}

export type PurgeReply = { status: 'ok'; purged: number } | { status: 'other_layout'; layout: string };

/** throw dead letters away. */
export const purge: Script<PurgeKeys, PurgeArgs, PurgeReply> = {
  name: 'purge',
  sha1: '3e61d7b3609712e9f1e8078ac30a29ec2277144a',
  keys: ['meta', 'dead', 'past', 'counts'],
  args: ['layout', 'limit'],
  items: ['number'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '3e61d7b3609712e9f1e8078ac30a29ec2277144a',
      '4',
      word(keys.meta, 'purge: meta'),
      word(keys.dead, 'purge: dead'),
      word(keys.past, 'purge: past'),
      word(keys.counts, 'purge: counts'),
      word(args.layout, 'purge: layout'),
      word(args.limit, 'purge: limit'),
    ];
    for (const item of args.items) {
      words.push(word(item.number, 'purge: number'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'purge: ok');
        return {
          status: 'ok',
          purged: anInt(all[1], 'purge: ok.purged'),
        };
      case 'other_layout':
        atMost(1, all, 'purge: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'purge: other_layout.layout'),
        };
      default:
        throw strange(reply, 'purge', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
`,
};

export interface ReapKeys {
  /** hash: layout */
  meta: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: consumer -> 'lease_ms beat_ms worker' */
  consumers: string;
}

export interface ReapArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  term: string;
  token: string;
  /** '0' from the start, or what the last call gave */
  cursor: string;
  /** consumers looked at, about */
  count: number;
  /** one that nobody joined, made by a read that came late: silent for so long */
  strayIdleMs: number;
}

export type ReapReply =
  | { status: 'ok'; cursor: string; reaped: number }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string };

/** forget consumers that are dead: no beat for ten of their leases, and nothing pending. Leader only. */
export const reap: Script<ReapKeys, ReapArgs, ReapReply> = {
  name: 'reap',
  sha1: '95c491f763be6eb1f9baaeee9f05ab2aece39e26',
  keys: ['meta', 'epoch', 'stream', 'consumers'],
  args: ['layout', 'nowMs', 'term', 'token', 'cursor', 'count', 'strayIdleMs'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '95c491f763be6eb1f9baaeee9f05ab2aece39e26',
    '4',
    word(keys.meta, 'reap: meta'),
    word(keys.epoch, 'reap: epoch'),
    word(keys.stream, 'reap: stream'),
    word(keys.consumers, 'reap: consumers'),
    word(args.layout, 'reap: layout'),
    word(args.nowMs, 'reap: nowMs'),
    word(args.term, 'reap: term'),
    word(args.token, 'reap: token'),
    word(args.cursor, 'reap: cursor'),
    word(args.count, 'reap: count'),
    word(args.strayIdleMs, 'reap: strayIdleMs'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'reap: ok');
        return {
          status: 'ok',
          cursor: aString(all[1], 'reap: ok.cursor'),
          reaped: anInt(all[2], 'reap: ok.reaped'),
        };
      case 'stale_term':
        atMost(1, all, 'reap: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'reap: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'reap: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'reap: other_layout.layout'),
        };
      default:
        throw strange(reply, 'reap', 'ok | stale_term | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
`,
};

export interface RecoverKeys {
  /** hash: layout, paused, seen_ms, gap_ms, gap_end_ms, last_gap_ms, hold_ms, look_at */
  meta: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> record */
  tasks: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** hash: consumer -> 'lease_ms beat_ms worker' */
  consumers: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** stream: the dead letters */
  dead: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface RecoverArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  consumer: string;
  /** for deliveries whose owner is not known any more */
  leaseMs: number;
  /** deliveries looked at: 200 */
  page: number;
  /** deliveries taken: the free slots, at most 100; 0 = only look */
  limit: number;
  /** stop taking when their records pass this */
  bytesMax: number;
  /** more lost leases than this: dead letter max_deliveries */
  lostMax: number;
}

export type RecoverReply =
  | {
      status: 'ok';
      overdue: number;
      deliveries: { entry: string; id: string; dueMs: number; count: number; record: string; run: string | null }[];
      buried: { id: string; name: string }[];
      stale: number;
      heldUntilMs: number;
    }
  | { status: 'paused' }
  | { status: 'no_group' }
  | { status: 'other_layout'; layout: string };

/** take over deliveries whose lease ran out, and open them. Any consumer's, with free slots. */
export const recover: Script<RecoverKeys, RecoverArgs, RecoverReply> = {
  name: 'recover',
  sha1: '125ebb67eb40cd201f5088efdcb943e3c02ca6da',
  keys: ['meta', 'stream', 'live', 'tasks', 'runs', 'consumers', 'expiry', 'dead', 'past', 'counts'],
  args: ['layout', 'nowMs', 'consumer', 'leaseMs', 'page', 'limit', 'bytesMax', 'lostMax'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '125ebb67eb40cd201f5088efdcb943e3c02ca6da',
    '10',
    word(keys.meta, 'recover: meta'),
    word(keys.stream, 'recover: stream'),
    word(keys.live, 'recover: live'),
    word(keys.tasks, 'recover: tasks'),
    word(keys.runs, 'recover: runs'),
    word(keys.consumers, 'recover: consumers'),
    word(keys.expiry, 'recover: expiry'),
    word(keys.dead, 'recover: dead'),
    word(keys.past, 'recover: past'),
    word(keys.counts, 'recover: counts'),
    word(args.layout, 'recover: layout'),
    word(args.nowMs, 'recover: nowMs'),
    word(args.consumer, 'recover: consumer'),
    word(args.leaseMs, 'recover: leaseMs'),
    word(args.page, 'recover: page'),
    word(args.limit, 'recover: limit'),
    word(args.bytesMax, 'recover: bytesMax'),
    word(args.lostMax, 'recover: lostMax'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(5, all, 'recover: ok');
        return {
          status: 'ok',
          overdue: anInt(all[1], 'recover: ok.overdue'),
          deliveries: groups(all[2], {
            size: 6,
            where: 'recover: ok.deliveries',
            read: (list, at) => ({
              entry: aString(list[at], 'recover: ok.deliveries.entry'),
              id: aString(list[at + 1], 'recover: ok.deliveries.id'),
              dueMs: anInt(list[at + 2], 'recover: ok.deliveries.dueMs'),
              count: anInt(list[at + 3], 'recover: ok.deliveries.count'),
              record: aString(list[at + 4], 'recover: ok.deliveries.record'),
              run: aStringOrNull(list[at + 5], 'recover: ok.deliveries.run'),
            }),
          }),
          buried: groups(all[3], {
            size: 2,
            where: 'recover: ok.buried',
            read: (list, at) => ({
              id: aString(list[at], 'recover: ok.buried.id'),
              name: aString(list[at + 1], 'recover: ok.buried.name'),
            }),
          }),
          stale: anInt(all[4], 'recover: ok.stale'),
          heldUntilMs: anInt(all[5], 'recover: ok.heldUntilMs'),
        };
      case 'paused':
        atMost(0, all, 'recover: paused');
        return { status: 'paused' };
      case 'no_group':
        atMost(0, all, 'recover: no_group');
        return { status: 'no_group' };
      case 'other_layout':
        atMost(1, all, 'recover: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'recover: other_layout.layout'),
        };
      default:
        throw strange(reply, 'recover', 'ok | paused | no_group | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
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
        buried[#buried + 1] = id buried[#buried + 1] = string.match(record, '^%[%d+,"([^"\\\\]*)"') or ''
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
`,
};

export interface ReleaseKeys {
  /** hash: layout, paused, waits */
  meta: string;
  /** channel: what waits is told here */
  wake: string;
}

export interface ReleaseArgs {
  layout: string;
}

export type ReleaseReply = { status: 'ok'; released: number } | { status: 'other_layout'; layout: string };

/** let a partition that came with a growth hand out its tasks. The leader's, when what was before them has gone. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseReply> = {
  name: 'release',
  sha1: '13427d22cfe0244ee5751af2ac19905819db61d0',
  keys: ['meta', 'wake'],
  args: ['layout'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '13427d22cfe0244ee5751af2ac19905819db61d0',
    '2',
    word(keys.meta, 'release: meta'),
    word(keys.wake, 'release: wake'),
    word(args.layout, 'release: layout'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'release: ok');
        return {
          status: 'ok',
          released: anInt(all[1], 'release: ok.released'),
        };
      case 'other_layout':
        atMost(1, all, 'release: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'release: other_layout.layout'),
        };
      default:
        throw strange(reply, 'release', 'ok | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, wake = KEYS[1], KEYS[2]
local layout = ARGV[1]
local at = redis.call('HMGET', meta, 'layout', 'waits')
if at[1] ~= layout then return {'other_layout', at[1] or ''} end
if not at[2] then return {'ok', 0} end
redis.call('HSET', meta, 'paused', at[2])
redis.call('HDEL', meta, 'waits')
if at[2] == '0' then redis.call('PUBLISH', wake, 'resumed') end
return {'ok', 1}
`,
};

export interface ReplayKeys {
  /** hash: layout, paused */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** stream: the dead letters; a letter's number is its stream id */
  dead: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface ReplayArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  /** of the letter */
  number: string;
}

export type ReplayReply =
  | { status: 'ok'; id: string }
  | { status: 'conflict'; id: string }
  | { status: 'not_found' }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** make a dead letter a task again, due now, at its first attempt. */
export const replay: Script<ReplayKeys, ReplayArgs, ReplayReply> = {
  name: 'replay',
  sha1: '8c85ee7fb2efe9521255b21126c10f47695c2734',
  keys: ['meta', 'lanes', 'due', 'tasks', 'stream', 'live', 'dead', 'past', 'counts'],
  args: ['layout', 'nowMs', 'lane', 'call', 'number'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '8c85ee7fb2efe9521255b21126c10f47695c2734',
    '9',
    word(keys.meta, 'replay: meta'),
    word(keys.lanes, 'replay: lanes'),
    word(keys.due, 'replay: due'),
    word(keys.tasks, 'replay: tasks'),
    word(keys.stream, 'replay: stream'),
    word(keys.live, 'replay: live'),
    word(keys.dead, 'replay: dead'),
    word(keys.past, 'replay: past'),
    word(keys.counts, 'replay: counts'),
    word(args.layout, 'replay: layout'),
    word(args.nowMs, 'replay: nowMs'),
    word(args.lane, 'replay: lane'),
    word(args.call, 'replay: call'),
    word(args.number, 'replay: number'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'replay: ok');
        return {
          status: 'ok',
          id: aString(all[1], 'replay: ok.id'),
        };
      case 'conflict':
        atMost(1, all, 'replay: conflict');
        return {
          status: 'conflict',
          id: aString(all[1], 'replay: conflict.id'),
        };
      case 'not_found':
        atMost(0, all, 'replay: not_found');
        return { status: 'not_found' };
      case 'other_layout':
        atMost(1, all, 'replay: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'replay: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'replay: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'replay', 'ok | conflict | not_found | other_layout | late_call');
    }
  },
  source: `#!lua
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local dead, past, counts = KEYS[7], KEYS[8], KEYS[9]
local layout, now_ms, lane, call, number = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'paused')
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('ZCARD', due) redis.call('XLEN', stream) redis.call('HLEN', live)
redis.call('HLEN', tasks) redis.call('HLEN', past) redis.call('HLEN', counts)
local letter = redis.call('XRANGE', dead, number, number)[1]
local id, record = letter and letter[2][2], letter and letter[2][#letter[2]]
local reply
if not letter or record == '' then
  reply = {'not_found'}
elseif redis.call('HEXISTS', tasks, id) == 1 then
  reply = {'conflict', id}
else
  local due_text = string.format('%.0f', now_ms)
  if at[2] == '1' then
    redis.call('ZADD', due, due_text, id)
  else
    redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', due_text))
  end
  redis.call('HSET', tasks, id, record)
  redis.call('XDEL', dead, letter[1])
  local index = redis.call('HGET', past, id)
  if index and string.find(index, ':' .. letter[1] .. ':', 1, true) then redis.call('HDEL', past, id) end
  redis.call('HINCRBY', counts, 'replayed', 1)
  reply = {'ok', id}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface RescheduleKeys {
  /** hash: layout, paused */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** channel: what waits is told here */
  wake: string;
}

export interface RescheduleArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  id: string;
  /** '+N' in N ms, 'N' at that epoch ms */
  when: string;
}

export type RescheduleReply =
  | { status: 'ok'; dueMs: number }
  | { status: 'active' }
  | { status: 'not_found' }
  | { status: 'settled'; state: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** give a waiting task another due time. One at work is refused. */
export const reschedule: Script<RescheduleKeys, RescheduleArgs, RescheduleReply> = {
  name: 'reschedule',
  sha1: '65638c7ba8935e9cd39d626a2f44ba60e5b3a540',
  keys: ['meta', 'lanes', 'due', 'tasks', 'stream', 'live', 'past', 'wake'],
  args: ['layout', 'nowMs', 'lane', 'call', 'id', 'when'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '65638c7ba8935e9cd39d626a2f44ba60e5b3a540',
    '8',
    word(keys.meta, 'reschedule: meta'),
    word(keys.lanes, 'reschedule: lanes'),
    word(keys.due, 'reschedule: due'),
    word(keys.tasks, 'reschedule: tasks'),
    word(keys.stream, 'reschedule: stream'),
    word(keys.live, 'reschedule: live'),
    word(keys.past, 'reschedule: past'),
    word(keys.wake, 'reschedule: wake'),
    word(args.layout, 'reschedule: layout'),
    word(args.nowMs, 'reschedule: nowMs'),
    word(args.lane, 'reschedule: lane'),
    word(args.call, 'reschedule: call'),
    word(args.id, 'reschedule: id'),
    word(args.when, 'reschedule: when'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'reschedule: ok');
        return {
          status: 'ok',
          dueMs: anInt(all[1], 'reschedule: ok.dueMs'),
        };
      case 'active':
        atMost(0, all, 'reschedule: active');
        return { status: 'active' };
      case 'not_found':
        atMost(0, all, 'reschedule: not_found');
        return { status: 'not_found' };
      case 'settled':
        atMost(1, all, 'reschedule: settled');
        return {
          status: 'settled',
          state: aString(all[1], 'reschedule: settled.state'),
        };
      case 'other_layout':
        atMost(1, all, 'reschedule: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'reschedule: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'reschedule: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'reschedule', 'ok | active | not_found | settled | other_layout | late_call');
    }
  },
  source: `#!lua flags=allow-oom
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local past, wake = KEYS[7], KEYS[8]
local layout, now_ms, lane, call, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local when = ARGV[6]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
local exact_ms = now_ms > 0 and now_ms or time[1] * 1000 + time[2] / 1000
now_ms = math.floor(exact_ms)
redis.call('XLEN', stream)
local entry, reply = redis.call('HGET', live, id), nil
local owned = entry and redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
if redis.call('HEXISTS', tasks, id) == 0 then
  local last = redis.call('HGET', past, id)
  reply = last and {'settled', string.match(last, '^%a+')} or {'not_found'}
elseif owned and owned[1] then
  reply = {'active'}
else
  local due_ms = tonumber(when)
  if string.byte(when) == 43 then due_ms = math.ceil(exact_ms + due_ms) end
  redis.call('ZADD', due, string.format('%.0f', due_ms), id)
  if entry then
    redis.call('HDEL', live, id)
    redis.call('XDEL', stream, entry)
  end
  local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if head[1] == id then redis.call('PUBLISH', wake, 'due ' .. head[2]) end
  reply = {'ok', due_ms}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface ResignKeys {
  /** hash: audit */
  meta: string;
  /** hash: {term, token, leader, since_ms, seen_ms, ttl_ms} */
  epoch: string;
  /** channel: 'vacant <term>': bid now */
  wake: string;
  /** stream: while a campaign looks on: who led */
  audit: string;
}

export interface ResignArgs {
  term: string;
  token: string;
}

export type ResignReply = { status: 'ok' } | { status: 'stale_term'; term: string };

/** say that nobody leads now, and tell the followers. The leader's, after its last write and before it frees the lock. */
export const resign: Script<ResignKeys, ResignArgs, ResignReply> = {
  name: 'resign',
  sha1: '8034c3387b25244a100d60adec52798cbb7d4c55',
  keys: ['meta', 'epoch', 'wake', 'audit'],
  args: ['term', 'token'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '8034c3387b25244a100d60adec52798cbb7d4c55',
    '4',
    word(keys.meta, 'resign: meta'),
    word(keys.epoch, 'resign: epoch'),
    word(keys.wake, 'resign: wake'),
    word(keys.audit, 'resign: audit'),
    word(args.term, 'resign: term'),
    word(args.token, 'resign: token'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(0, all, 'resign: ok');
        return { status: 'ok' };
      case 'stale_term':
        atMost(1, all, 'resign: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'resign: stale_term.term'),
        };
      default:
        throw strange(reply, 'resign', 'ok | stale_term');
    }
  },
  source: `#!lua flags=allow-oom
local meta, epoch, wake, audit = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local term, token = ARGV[1], ARGV[2]
local watched = redis.call('HGET', meta, 'audit') == '1'
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
redis.call('HDEL', epoch, 'seen_ms')
redis.call('HSET', epoch, 'token', '')
redis.call('PUBLISH', wake, 'vacant ' .. term)
if watched then redis.call('XADD', audit, '*', 'op', 'resign', 'term', term) end
return {'ok'}
`,
};

export interface RetryKeys {
  /** hash: layout, audit */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> attempt and errors */
  runs: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
  /** hash: what happened here, by name */
  counts: string;
  /** channel: 'due <ms>' when a task became the earliest */
  wake: string;
  /** stream: while a campaign looks on: what ended, and by whom */
  audit: string;
}

export interface RetryArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  /** the name these deliveries were read under */
  consumer: string;
  items: readonly { entry: string; count: number; id: string; delayMs: number; run: string }[];
}

export type RetryReply =
  | { status: 'ok'; marks: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** end deliveries whose handlers have failed and whose tasks get another try. Only for the consumer that holds them. */
export const retry: Script<RetryKeys, RetryArgs, RetryReply> = {
  name: 'retry',
  sha1: '9fcadb76abb2f9ac1eb1eb4de3e0c35680cca108',
  keys: ['meta', 'lanes', 'due', 'stream', 'live', 'runs', 'past', 'counts', 'wake', 'audit'],
  args: ['layout', 'nowMs', 'lane', 'call', 'consumer'],
  items: ['entry', 'count', 'id', 'delayMs', 'run'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '9fcadb76abb2f9ac1eb1eb4de3e0c35680cca108',
      '10',
      word(keys.meta, 'retry: meta'),
      word(keys.lanes, 'retry: lanes'),
      word(keys.due, 'retry: due'),
      word(keys.stream, 'retry: stream'),
      word(keys.live, 'retry: live'),
      word(keys.runs, 'retry: runs'),
      word(keys.past, 'retry: past'),
      word(keys.counts, 'retry: counts'),
      word(keys.wake, 'retry: wake'),
      word(keys.audit, 'retry: audit'),
      word(args.layout, 'retry: layout'),
      word(args.nowMs, 'retry: nowMs'),
      word(args.lane, 'retry: lane'),
      word(args.call, 'retry: call'),
      word(args.consumer, 'retry: consumer'),
    ];
    for (const item of args.items) {
      words.push(word(item.entry, 'retry: entry'), word(item.count, 'retry: count'), word(item.id, 'retry: id'), word(item.delayMs, 'retry: delayMs'), word(item.run, 'retry: run'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'retry: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'retry: ok.marks'),
        };
      case 'other_layout':
        atMost(1, all, 'retry: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'retry: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'retry: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'retry', 'ok | other_layout | late_call');
    }
  },
  source: `#!lua flags=allow-oom
local meta, lanes, due, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local runs, past, counts, wake, audit = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local layout, now_ms, lane, call, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
local exact_ms = now_ms > 0 and now_ms or time[1] * 1000 + time[2] / 1000
redis.call('XLEN', stream) redis.call('ZCARD', due) redis.call('HLEN', runs) redis.call('HLEN', live)
redis.call('HLEN', past) redis.call('HLEN', counts)
local marks, settled, stale, earliest = {}, 0, 0, math.huge
for i = 6, #ARGV, 5 do
  local entry, count, id, delay_ms, run = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4]
  local mark, has_ended = 'l', false
  local one = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1, consumer)[1] -- nil without a group
  if not one or one[4] ~= count then
    local last = redis.call('HGET', past, id)
    if last and string.match(last, '^cancelled:[^:]*:(.*)$') == entry then mark = 'c' end
  elseif redis.call('HGET', live, id) == entry then
    local due_ms = math.ceil(exact_ms + delay_ms)
    redis.call('ZADD', due, string.format('%.0f', due_ms), id)
    redis.call('HSET', runs, id, run) redis.call('HDEL', live, id)
    if at[2] == '1' then redis.call('XADD', audit, '*', 'op', 'retry', 'id', id, 'of', entry, 'count', count, 'by', consumer) end
    if due_ms < earliest then earliest = due_ms end
    mark, has_ended, settled = 'o', true, settled + 1
  else -- stale, unless its number was reissued
    local found = redis.call('XRANGE', stream, entry, entry)[1]
    if not found or found[2][2] == id then has_ended, stale = true, stale + 1 end
  end
  if has_ended then redis.call('XACK', stream, 'workers', entry) redis.call('XDEL', stream, entry) end
  marks[#marks + 1] = mark
end
if settled > 0 then redis.call('HINCRBY', counts, 'retry', settled) end
if stale > 0 then redis.call('HINCRBY', counts, 'stale', stale) end
local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
if earliest <= tonumber(head[2] or '0') then redis.call('PUBLISH', wake, 'due ' .. head[2]) end
local reply = {'ok', table.concat(marks)}
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, math.floor(exact_ms), reply})) end
return reply
`,
};

export interface RunNowKeys {
  /** hash: layout, paused, waits */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> state:number of its newest end that is kept */
  past: string;
}

export interface RunNowArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  id: string;
}

export type RunNowReply =
  | { status: 'ok'; was: string }
  | { status: 'paused' }
  | { status: 'waiting' }
  | { status: 'not_found' }
  | { status: 'settled'; state: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** promote one scheduled task at once. */
export const runNow: Script<RunNowKeys, RunNowArgs, RunNowReply> = {
  name: 'run-now',
  sha1: '3f7f8771883221a32d290dbc226ea79ee62173f1',
  keys: ['meta', 'lanes', 'due', 'tasks', 'stream', 'live', 'past'],
  args: ['layout', 'nowMs', 'lane', 'call', 'id'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '3f7f8771883221a32d290dbc226ea79ee62173f1',
    '7',
    word(keys.meta, 'run-now: meta'),
    word(keys.lanes, 'run-now: lanes'),
    word(keys.due, 'run-now: due'),
    word(keys.tasks, 'run-now: tasks'),
    word(keys.stream, 'run-now: stream'),
    word(keys.live, 'run-now: live'),
    word(keys.past, 'run-now: past'),
    word(args.layout, 'run-now: layout'),
    word(args.nowMs, 'run-now: nowMs'),
    word(args.lane, 'run-now: lane'),
    word(args.call, 'run-now: call'),
    word(args.id, 'run-now: id'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(1, all, 'run-now: ok');
        return {
          status: 'ok',
          was: aString(all[1], 'run-now: ok.was'),
        };
      case 'paused':
        atMost(0, all, 'run-now: paused');
        return { status: 'paused' };
      case 'waiting':
        atMost(0, all, 'run-now: waiting');
        return { status: 'waiting' };
      case 'not_found':
        atMost(0, all, 'run-now: not_found');
        return { status: 'not_found' };
      case 'settled':
        atMost(1, all, 'run-now: settled');
        return {
          status: 'settled',
          state: aString(all[1], 'run-now: settled.state'),
        };
      case 'other_layout':
        atMost(1, all, 'run-now: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'run-now: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'run-now: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'run-now', 'ok | paused | waiting | not_found | settled | other_layout | late_call');
    }
  },
  source: `#!lua flags=allow-oom
local meta, lanes, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local past = KEYS[7]
local layout, now_ms, lane, call, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('ZCARD', due)
local entry, reply = redis.call('HGET', live, id), nil
if redis.call('HEXISTS', tasks, id) == 0 then
  local last = redis.call('HGET', past, id)
  reply = last and {'settled', string.match(last, '^%a+')} or {'not_found'}
elseif entry then
  local owned = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)
  reply = {'ok', owned[1] and 'active' or 'ready'}
elseif at[2] == '1' and at[3] == '0' then
  reply = {'waiting'}
elseif at[2] == '1' then
  reply = {'paused'}
else
  redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', string.format('%.0f', now_ms)))
  redis.call('ZREM', due, id)
  reply = {'ok', 'scheduled'}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface ScanKeys {
  /** hash: layout */
  meta: string;
  /** hash: task id -> record */
  tasks: string;
}

export interface ScanArgs {
  layout: string;
  /** '0' from the start, or what the last call gave */
  cursor: string;
  /** looked at, about */
  count: number;
  /** nothing more is looked at when so many bytes were read: exceeded by a record or two */
  bytesMax: number;
}

export type ScanReply =
  | { status: 'ok'; cursor: string; server: string; tasks: { id: string; key: string; record: string }[] }
  | { status: 'other_layout'; layout: string };

/** the ids and keys of the tasks here, page by page. The leader's, to find those that belong elsewhere since the queue */
export const scan: Script<ScanKeys, ScanArgs, ScanReply> = {
  name: 'scan',
  sha1: '1a7457d258aad6d0a24886c879f265ea8907aab3',
  keys: ['meta', 'tasks'],
  args: ['layout', 'cursor', 'count', 'bytesMax'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '1a7457d258aad6d0a24886c879f265ea8907aab3',
    '2',
    word(keys.meta, 'scan: meta'),
    word(keys.tasks, 'scan: tasks'),
    word(args.layout, 'scan: layout'),
    word(args.cursor, 'scan: cursor'),
    word(args.count, 'scan: count'),
    word(args.bytesMax, 'scan: bytesMax'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(3, all, 'scan: ok');
        return {
          status: 'ok',
          cursor: aString(all[1], 'scan: ok.cursor'),
          server: aString(all[2], 'scan: ok.server'),
          tasks: groups(all[3], {
            size: 3,
            where: 'scan: ok.tasks',
            read: (list, at) => ({
              id: aString(list[at], 'scan: ok.tasks.id'),
              key: aString(list[at + 1], 'scan: ok.tasks.key'),
              record: aString(list[at + 2], 'scan: ok.tasks.record'),
            }),
          }),
        };
      case 'other_layout':
        atMost(1, all, 'scan: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'scan: other_layout.layout'),
        };
      default:
        throw strange(reply, 'scan', 'ok | other_layout');
    }
  },
  source: `#!lua flags=no-writes
local meta, tasks = KEYS[1], KEYS[2]
local layout, cursor, count, bytes_max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout then return {'other_layout', stored or ''} end
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local page, bytes = {}, 0
local function crossed(text) return '"' .. string.rep('x', #text) .. '"' end
local function key_in(record)
  local bare = not string.find(record, '\\\\', 1, true) and string.gsub(record, '"([^"]*)"', crossed) or ''
  for _, payload in ipairs({'%b{}', '%b[]', '[^%[{,]+'}) do
    local options = string.match(bare, '^%[%d+,"x*",' .. payload .. ',(){[^{}]*}%]$')
    if options then return string.match(record, '[{,]"k":("[^"%c]*")', options) or '' end
  end
  return ''
end
for _ = 1, count do
  local found = redis.call('HSCAN', tasks, cursor, 'COUNT', 1)
  cursor = found[1]
  for i = 1, #found[2], 2 do
    local record = found[2][i + 1]
    local has_k = string.find(record, '"k"', 1, true)
    local key = has_k and key_in(record) or ''
    bytes = bytes + #record
    page[#page + 1], page[#page + 2] = found[2][i], key
    page[#page + 1] = has_k and key == '' and record or ''
  end
  if cursor == '0' or bytes >= bytes_max or #page >= 3 * count then break end
end
return {'ok', cursor, server, page}
`,
};

export interface ScheduleKeys {
  /** hash: layout */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** hash: schedule -> its definition */
  schedules: string;
  /** hash: schedule -> how far it has come */
  cursors: string;
  /** zset: schedule -> when it wants to be looked at */
  upcoming: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
  /** channel: 'schedule <ms>' when it wants to be looked at earlier than all others */
  wake: string;
}

export interface ScheduleArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  name: string;
  /** of the definition, a line feed and the cursor that were read; '' = there was none */
  wasSha1: string;
  /** '' = take it away */
  definition: string;
  cursor: string;
  /** '' = never */
  lookMs: string;
  /** '' = anybody's call; else the leader's, who moves a schedule here */
  term: string;
  token: string;
}

export type ScheduleReply =
  | { status: 'ok' }
  | { status: 'changed' }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** write a schedule, if it is still as it was read: create, change, pause, resume, move it, or take it away. */
export const schedule: Script<ScheduleKeys, ScheduleArgs, ScheduleReply> = {
  name: 'schedule',
  sha1: '7a22d922dd316b0d11188452754aa2251ba7b7cf',
  keys: ['meta', 'lanes', 'schedules', 'cursors', 'upcoming', 'epoch', 'wake'],
  args: ['layout', 'nowMs', 'lane', 'call', 'name', 'wasSha1', 'definition', 'cursor', 'lookMs', 'term', 'token'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '7a22d922dd316b0d11188452754aa2251ba7b7cf',
    '7',
    word(keys.meta, 'schedule: meta'),
    word(keys.lanes, 'schedule: lanes'),
    word(keys.schedules, 'schedule: schedules'),
    word(keys.cursors, 'schedule: cursors'),
    word(keys.upcoming, 'schedule: upcoming'),
    word(keys.epoch, 'schedule: epoch'),
    word(keys.wake, 'schedule: wake'),
    word(args.layout, 'schedule: layout'),
    word(args.nowMs, 'schedule: nowMs'),
    word(args.lane, 'schedule: lane'),
    word(args.call, 'schedule: call'),
    word(args.name, 'schedule: name'),
    word(args.wasSha1, 'schedule: wasSha1'),
    word(args.definition, 'schedule: definition'),
    word(args.cursor, 'schedule: cursor'),
    word(args.lookMs, 'schedule: lookMs'),
    word(args.term, 'schedule: term'),
    word(args.token, 'schedule: token'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(0, all, 'schedule: ok');
        return { status: 'ok' };
      case 'changed':
        atMost(0, all, 'schedule: changed');
        return { status: 'changed' };
      case 'stale_term':
        atMost(1, all, 'schedule: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'schedule: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'schedule: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'schedule: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'schedule: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'schedule', 'ok | changed | stale_term | other_layout | late_call');
    }
  },
  source: `#!lua
local meta, lanes, schedules, cursors, upcoming, epoch, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, lane, call, name = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local was_sha1, definition, cursor, look_ms, term, token = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local stored = redis.call('HGET', meta, 'layout')
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if term ~= '' and (accepted[1] ~= term or accepted[2] ~= token) then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('ZCARD', upcoming)
local was, reply = redis.call('HGET', schedules, name), {'ok'}
local is = was and redis.sha1hex(was .. '\\n' .. (redis.call('HGET', cursors, name) or '')) or ''
if is ~= was_sha1 then
  reply = {'changed'}
elseif definition == '' then
  redis.call('ZREM', upcoming, name) redis.call('HDEL', cursors, name) redis.call('HDEL', schedules, name)
else
  if not stored then redis.call('HSET', meta, 'layout', layout) end
  redis.call('HSET', cursors, name, cursor) redis.call('HSET', schedules, name, definition)
  if look_ms == '' then redis.call('ZREM', upcoming, name) else redis.call('ZADD', upcoming, look_ms, name) end
  if redis.call('ZRANGE', upcoming, 0, 0)[1] == name then redis.call('PUBLISH', wake, 'schedule ' .. look_ms) end
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export interface SchedulesKeys {
  /** hash: layout */
  meta: string;
  /** hash: schedule -> its definition */
  schedules: string;
  /** hash: schedule -> how far it has come */
  cursors: string;
  /** zset: schedule -> when it wants to be looked at */
  upcoming: string;
}

export interface SchedulesArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = a page */
  name: string;
  /** of the page before; '0' at first */
  position: string;
  /** about so many, 1..1000 */
  count: number;
}

export type SchedulesReply =
  | {
      status: 'ok';
      nowMs: number;
      next: string;
      schedules: { name: string; definition: string; cursor: string; lookMs: string }[];
    }
  | { status: 'other_layout'; layout: string };

/** one schedule, or a page of them in no order. */
export const schedules: Script<SchedulesKeys, SchedulesArgs, SchedulesReply> = {
  name: 'schedules',
  sha1: '1ed98b04cc8bb5969e7c9546b7d4a59610a3df50',
  keys: ['meta', 'schedules', 'cursors', 'upcoming'],
  args: ['layout', 'nowMs', 'name', 'position', 'count'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '1ed98b04cc8bb5969e7c9546b7d4a59610a3df50',
    '4',
    word(keys.meta, 'schedules: meta'),
    word(keys.schedules, 'schedules: schedules'),
    word(keys.cursors, 'schedules: cursors'),
    word(keys.upcoming, 'schedules: upcoming'),
    word(args.layout, 'schedules: layout'),
    word(args.nowMs, 'schedules: nowMs'),
    word(args.name, 'schedules: name'),
    word(args.position, 'schedules: position'),
    word(args.count, 'schedules: count'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(3, all, 'schedules: ok');
        return {
          status: 'ok',
          nowMs: anInt(all[1], 'schedules: ok.nowMs'),
          next: aString(all[2], 'schedules: ok.next'),
          schedules: groups(all[3], {
            size: 4,
            where: 'schedules: ok.schedules',
            read: (list, at) => ({
              name: aString(list[at], 'schedules: ok.schedules.name'),
              definition: aString(list[at + 1], 'schedules: ok.schedules.definition'),
              cursor: aString(list[at + 2], 'schedules: ok.schedules.cursor'),
              lookMs: aString(list[at + 3], 'schedules: ok.schedules.lookMs'),
            }),
          }),
        };
      case 'other_layout':
        atMost(1, all, 'schedules: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'schedules: other_layout.layout'),
        };
      default:
        throw strange(reply, 'schedules', 'ok | other_layout');
    }
  },
  source: `#!lua flags=no-writes
local meta, schedules, cursors, upcoming = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, now_ms, name, position, count = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local found, next, page = {}, '0', {}
if name == '' then
  local scanned = redis.call('HSCAN', schedules, position, 'COUNT', count)
  next, page = scanned[1], scanned[2]
else
  local definition = redis.call('HGET', schedules, name)
  if definition then page = {name, definition} end
end
for i = 1, #page, 2 do
  found[#found + 1], found[#found + 2] = page[i], page[i + 1]
  found[#found + 1] = redis.call('HGET', cursors, page[i]) or ''
  found[#found + 1] = redis.call('ZSCORE', upcoming, page[i]) or ''
end
return {'ok', now_ms, next, found}
`,
};

export interface StatsKeys {
  /** hash: layout, paused, waits */
  meta: string;
  /** hash: {term, token, leader, since_ms, seen_ms, ttl_ms} */
  epoch: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: the dead letters; a letter's number is its stream id */
  dead: string;
  /** stream: the cancelled and expired */
  ended: string;
  /** hash: consumer -> 'lease_ms beat_ms worker' */
  consumers: string;
  /** hash: what happened here, by name */
  counts: string;
  /** hash: schedule -> its definition */
  schedules: string;
  /** zset: schedule -> when it wants to be looked at */
  upcoming: string;
  /** hash: schedule -> how far it has come */
  cursors: string;
}

export interface StatsArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
}

export type StatsReply =
  | {
      status: 'ok';
      nowMs: number;
      waits: number;
      paused: number;
      scheduled: number;
      due: number;
      ready: number;
      active: number;
      dead: number;
      ended: number;
      consumers: number;
      unplaced: number;
      oldestDueMs: number | null;
      oldestReadyMs: number | null;
      schedules: number;
      nextScheduleMs: number | null;
      holdMs: number;
      epoch: string[];
      counts: string[];
    }
  | { status: 'other_layout'; layout: string };

/** the figures of one partition, in one look. */
export const stats: Script<StatsKeys, StatsArgs, StatsReply> = {
  name: 'stats',
  sha1: '13f8918edcc7bd1196407869e593cd056d391c7e',
  keys: [
    'meta',
    'epoch',
    'due',
    'stream',
    'live',
    'tasks',
    'dead',
    'ended',
    'consumers',
    'counts',
    'schedules',
    'upcoming',
    'cursors',
  ],
  args: ['layout', 'nowMs'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '13f8918edcc7bd1196407869e593cd056d391c7e',
    '13',
    word(keys.meta, 'stats: meta'),
    word(keys.epoch, 'stats: epoch'),
    word(keys.due, 'stats: due'),
    word(keys.stream, 'stats: stream'),
    word(keys.live, 'stats: live'),
    word(keys.tasks, 'stats: tasks'),
    word(keys.dead, 'stats: dead'),
    word(keys.ended, 'stats: ended'),
    word(keys.consumers, 'stats: consumers'),
    word(keys.counts, 'stats: counts'),
    word(keys.schedules, 'stats: schedules'),
    word(keys.upcoming, 'stats: upcoming'),
    word(keys.cursors, 'stats: cursors'),
    word(args.layout, 'stats: layout'),
    word(args.nowMs, 'stats: nowMs'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(18, all, 'stats: ok');
        return {
          status: 'ok',
          nowMs: anInt(all[1], 'stats: ok.nowMs'),
          waits: anInt(all[2], 'stats: ok.waits'),
          paused: anInt(all[3], 'stats: ok.paused'),
          scheduled: anInt(all[4], 'stats: ok.scheduled'),
          due: anInt(all[5], 'stats: ok.due'),
          ready: anInt(all[6], 'stats: ok.ready'),
          active: anInt(all[7], 'stats: ok.active'),
          dead: anInt(all[8], 'stats: ok.dead'),
          ended: anInt(all[9], 'stats: ok.ended'),
          consumers: anInt(all[10], 'stats: ok.consumers'),
          unplaced: anInt(all[11], 'stats: ok.unplaced'),
          oldestDueMs: anIntOrNull(all[12], 'stats: ok.oldestDueMs'),
          oldestReadyMs: anIntOrNull(all[13], 'stats: ok.oldestReadyMs'),
          schedules: anInt(all[14], 'stats: ok.schedules'),
          nextScheduleMs: anIntOrNull(all[15], 'stats: ok.nextScheduleMs'),
          holdMs: anInt(all[16], 'stats: ok.holdMs'),
          epoch: strings(all[17], 'stats: ok.epoch'),
          counts: strings(all[18], 'stats: ok.counts'),
        };
      case 'other_layout':
        atMost(1, all, 'stats: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'stats: other_layout.layout'),
        };
      default:
        throw strange(reply, 'stats', 'ok | other_layout');
    }
  },
  source: `#!lua flags=no-writes
local meta, epoch, due, stream, live, tasks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local dead, ended, consumers, counts, schedules, upcoming, cursors = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms = ARGV[1], tonumber(ARGV[2])
local at = redis.call('HMGET', meta, 'layout', 'paused', 'waits', 'hold_ms')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local all, late = redis.call('ZCARD', due), redis.call('ZCOUNT', due, '-inf', string.format('%.0f', now_ms))
local pending, delivered = 0, '0-0'
local groups = redis.pcall('XINFO', 'GROUPS', stream)
for _, one in ipairs(groups) do
  for i = 1, #one, 2 do
    if one[2] == 'workers' and one[i] == 'pending' then pending = one[i + 1] end
    if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end
  end
end
local function sane_ms(ms) return ms and math.min(math.max(0, math.ceil(ms)), 9e15) or false end
local head = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local looks, next_ms = redis.call('ZRANGE', upcoming, 0, 10, 'WITHSCORES'), false
for i = 1, #looks, 2 do
  local at_ms = tonumber(looks[i + 1])
  if i < 20 then at_ms = tonumber(string.match(redis.call('HGET', cursors, looks[i]) or '', '^{"v":%d+,"c":%d+,"n":(%d+)') or '') end
  if at_ms and (not next_ms or at_ms < next_ms) then next_ms = at_ms end
end
local first = redis.call('XRANGE', stream, '(' .. delivered, '+', 'COUNT', 1)[1]
local leader = redis.call('HMGET', epoch, 'term', 'leader', 'since_ms', 'seen_ms', 'ttl_ms')
for i = 1, 5 do leader[i] = leader[i] or '' end
local lives, entries = redis.call('HLEN', live), redis.call('XLEN', stream)
local unplaced = math.max(redis.call('HLEN', tasks) - all - lives, lives - entries, 0)
return {'ok', now_ms, at[3] and 1 or 0, (at[3] or at[2]) == '1' and 1 or 0, all - late, late, entries - pending, pending,
  redis.call('XLEN', dead), redis.call('XLEN', ended), redis.call('HLEN', consumers), unplaced, sane_ms(tonumber(head[2])),
  first and sane_ms(tonumber(first[2][4])) or false, redis.call('HLEN', schedules),
  sane_ms(next_ms), tonumber(at[4] or '0'), leader, redis.call('HGETALL', counts)}
`,
};

export interface SweepKeys {
  /** hash: layout */
  meta: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
  /** zset: task id -> due ms */
  due: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** hash: task id -> record */
  tasks: string;
  /** hash: what happened here, by name */
  counts: string;
}

export interface SweepArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  term: string;
  token: string;
  /** '0' from the start, or what the last call gave: 'N' over records, 'lN' over live fields */
  cursor: string;
  /** looked at, about */
  count: number;
  /** nothing more is looked at when so many bytes were read: exceeded by ten records at most */
  bytesMax: number;
}

export type SweepReply =
  | { status: 'ok'; cursor: string; looked: number; bytes: number; swept: number; cleared: number; unbalanced: number }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string };

/** put every record that has neither a due member nor a good entry back to the schedule; when counts tell of live */
export const sweep: Script<SweepKeys, SweepArgs, SweepReply> = {
  name: 'sweep',
  sha1: '7a6f0d54156d257d1535b17736fad8b0a28102d6',
  keys: ['meta', 'epoch', 'due', 'stream', 'live', 'tasks', 'counts'],
  args: ['layout', 'nowMs', 'term', 'token', 'cursor', 'count', 'bytesMax'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '7a6f0d54156d257d1535b17736fad8b0a28102d6',
    '7',
    word(keys.meta, 'sweep: meta'),
    word(keys.epoch, 'sweep: epoch'),
    word(keys.due, 'sweep: due'),
    word(keys.stream, 'sweep: stream'),
    word(keys.live, 'sweep: live'),
    word(keys.tasks, 'sweep: tasks'),
    word(keys.counts, 'sweep: counts'),
    word(args.layout, 'sweep: layout'),
    word(args.nowMs, 'sweep: nowMs'),
    word(args.term, 'sweep: term'),
    word(args.token, 'sweep: token'),
    word(args.cursor, 'sweep: cursor'),
    word(args.count, 'sweep: count'),
    word(args.bytesMax, 'sweep: bytesMax'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(6, all, 'sweep: ok');
        return {
          status: 'ok',
          cursor: aString(all[1], 'sweep: ok.cursor'),
          looked: anInt(all[2], 'sweep: ok.looked'),
          bytes: anInt(all[3], 'sweep: ok.bytes'),
          swept: anInt(all[4], 'sweep: ok.swept'),
          cleared: anInt(all[5], 'sweep: ok.cleared'),
          unbalanced: anInt(all[6], 'sweep: ok.unbalanced'),
        };
      case 'stale_term':
        atMost(1, all, 'sweep: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'sweep: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'sweep: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'sweep: other_layout.layout'),
        };
      default:
        throw strange(reply, 'sweep', 'ok | stale_term | other_layout');
    }
  },
  source: `#!lua flags=allow-oom
local meta, epoch, due, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local live, tasks, counts = KEYS[5], KEYS[6], KEYS[7]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local cursor, count, bytes_max = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then return {'stale_term', accepted[1] or '0'} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('XLEN', stream) redis.call('ZCARD', due) redis.call('HLEN', live) redis.call('HLEN', counts)
local delivered = '0-0'
for _, one in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
  for i = 1, #one, 2 do if one[2] == 'workers' and one[i] == 'last-delivered-id' then delivered = one[i + 1] end end
end
local in_live, at = string.sub(cursor, 1, 1) == 'l', string.match(cursor, '%d+$')
local looked, bytes, swept, cleared = 0, 0, 0, 0
for _ = 1, math.ceil(count / 10) do
  local found = redis.call('HSCAN', in_live and live or tasks, at, 'COUNT', math.min(10, count))
  at = found[1]
  for i = 1, #found[2], 2 do
    local id, scheduled = found[2][i], redis.call('ZSCORE', due, found[2][i])
    looked, bytes = looked + 1, bytes + #found[2][i + 1]
    if in_live or not scheduled then
      local entry, recorded = redis.call('HGET', live, id), not in_live or redis.call('HEXISTS', tasks, id) == 1
      local there = entry and recorded and redis.call('XRANGE', stream, entry, entry)[1]
      there = there and redis.call('XRANGE', stream, '(' .. delivered, entry, 'COUNT', 1)[1]
      if entry and not there then there = redis.pcall('XPENDING', stream, 'workers', entry, entry, 1)[1] end
      if not there then
        if recorded and not scheduled then
          redis.call('ZADD', due, string.format('%.0f', now_ms), id)
          swept = swept + 1
        end
        cleared = cleared + redis.call('HDEL', live, id)
        if entry then redis.call('XDEL', stream, entry) end
      end
    end
  end
  if at == '0' or bytes >= bytes_max then break end
end
if swept > 0 then redis.call('HINCRBY', counts, 'swept', swept) end
local scheduled, lives, records = redis.call('ZCARD', due), redis.call('HLEN', live), redis.call('HLEN', tasks)
local surplus = lives - redis.call('XLEN', stream)
if in_live and at ~= '0' or not in_live and at == '0' and (surplus > 0 or lives + scheduled > records) then
  at = 'l' .. at
end
return {'ok', at, looked, bytes, swept, cleared, math.max(records - scheduled - lives, surplus, 0)}
`,
};

export interface TickKeys {
  /** hash: layout, paused, audit */
  meta: string;
  /** hash: {term, token} of the leader this partition accepts */
  epoch: string;
  /** zset: task id -> due ms */
  due: string;
  /** hash: task id -> record */
  tasks: string;
  /** stream: {id, due} */
  stream: string;
  /** hash: task id -> stream id of the one entry that counts */
  live: string;
  /** zset: task id -> the ms from which it must not start any more */
  expiry: string;
  /** hash: what happened here, by name */
  counts: string;
  /** channel: 'due <ms>' when a task became the earliest */
  wake: string;
  /** hash: schedule -> how far it has come */
  cursors: string;
  /** zset: schedule -> when it wants to be looked at */
  upcoming: string;
  /** stream: nominal times that were not fired, and why */
  passed: string;
  /** stream: while a campaign looks on: who fired what, and whose write was refused */
  audit: string;
}

export interface TickArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  term: string;
  token: string;
  items: readonly { schedule: string; was: string; cursor: string; lookMs: string; id: string; unless: string; dueMs: number; expiresMs: string; record: string; passed: string }[];
}

export type TickReply =
  | { status: 'ok'; marks: string; nowMs: number }
  | { status: 'stale_term'; term: string }
  | { status: 'other_layout'; layout: string };

/** fire occurrences of schedules, or pass over them, and move the schedules on. Leader only. */
export const tick: Script<TickKeys, TickArgs, TickReply> = {
  name: 'tick',
  sha1: '47140aafe2997509e58a9268d5800d2182dd2108',
  keys: [
    'meta',
    'epoch',
    'due',
    'tasks',
    'stream',
    'live',
    'expiry',
    'counts',
    'wake',
    'cursors',
    'upcoming',
    'passed',
    'audit',
  ],
  args: ['layout', 'nowMs', 'term', 'token'],
  items: ['schedule', 'was', 'cursor', 'lookMs', 'id', 'unless', 'dueMs', 'expiresMs', 'record', 'passed'],
  words: (keys, args) => {
    const words = [
      'EVALSHA',
      '47140aafe2997509e58a9268d5800d2182dd2108',
      '13',
      word(keys.meta, 'tick: meta'),
      word(keys.epoch, 'tick: epoch'),
      word(keys.due, 'tick: due'),
      word(keys.tasks, 'tick: tasks'),
      word(keys.stream, 'tick: stream'),
      word(keys.live, 'tick: live'),
      word(keys.expiry, 'tick: expiry'),
      word(keys.counts, 'tick: counts'),
      word(keys.wake, 'tick: wake'),
      word(keys.cursors, 'tick: cursors'),
      word(keys.upcoming, 'tick: upcoming'),
      word(keys.passed, 'tick: passed'),
      word(keys.audit, 'tick: audit'),
      word(args.layout, 'tick: layout'),
      word(args.nowMs, 'tick: nowMs'),
      word(args.term, 'tick: term'),
      word(args.token, 'tick: token'),
    ];
    for (const item of args.items) {
      words.push(word(item.schedule, 'tick: schedule'), word(item.was, 'tick: was'), word(item.cursor, 'tick: cursor'), word(item.lookMs, 'tick: lookMs'), word(item.id, 'tick: id'), word(item.unless, 'tick: unless'), word(item.dueMs, 'tick: dueMs'), word(item.expiresMs, 'tick: expiresMs'), word(item.record, 'tick: record'), word(item.passed, 'tick: passed'));
    }
    return words;
  },
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(2, all, 'tick: ok');
        return {
          status: 'ok',
          marks: aString(all[1], 'tick: ok.marks'),
          nowMs: anInt(all[2], 'tick: ok.nowMs'),
        };
      case 'stale_term':
        atMost(1, all, 'tick: stale_term');
        return {
          status: 'stale_term',
          term: aString(all[1], 'tick: stale_term.term'),
        };
      case 'other_layout':
        atMost(1, all, 'tick: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'tick: other_layout.layout'),
        };
      default:
        throw strange(reply, 'tick', 'ok | stale_term | other_layout');
    }
  },
  source: `#!lua
local meta, epoch, due, tasks, stream, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local expiry, counts, wake, cursors, upcoming, passed, audit = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]
local layout, now_ms, term, token = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local at = redis.call('HMGET', meta, 'layout', 'paused', 'audit')
if at[1] and at[1] ~= layout then return {'other_layout', at[1]} end
local accepted = redis.call('HMGET', epoch, 'term', 'token')
if accepted[1] ~= term or accepted[2] ~= token then
  if at[3] == '1' then redis.call('XADD', audit, '*', 'op', 'refused', 'term', term, 'by', 'tick') end
  return {'stale_term', accepted[1] or '0'}
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
redis.call('HLEN', tasks) redis.call('XLEN', stream) redis.call('HLEN', live) redis.call('ZCARD', expiry) redis.call('HLEN', counts)
redis.call('HLEN', cursors) redis.call('ZCARD', upcoming) redis.call('XLEN', passed)
local head = tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2] or math.huge)
local marks, fired, earliest, created = {}, {}, math.huge, string.format('[%.0f,', now_ms)
for i = 5, #ARGV, 10 do
  local schedule, was, cursor, look_ms, id, unless = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local due_ms, expires_ms, record, note = tonumber(ARGV[i + 6]), ARGV[i + 7], ARGV[i + 8], ARGV[i + 9]
  local mark = 'm'
  if (redis.call('HGET', cursors, schedule) or '') ~= was then
    mark = 'c'
  elseif unless ~= '' and redis.call('HEXISTS', tasks, unless) == 1 then
    mark = 'b'
  elseif id ~= '' and redis.call('HEXISTS', tasks, id) == 1 then
    mark = 'd'
  elseif id ~= '' then
    mark, fired[#fired + 1] = 'f', id
    if due_ms > now_ms or at[2] == '1' then
      redis.call('ZADD', due, string.format('%.0f', due_ms), id)
      redis.call('HDEL', live, id)
      earliest = math.min(earliest, due_ms)
    else
      redis.call('HSET', live, id, redis.call('XADD', stream, '*', 'id', id, 'due', string.format('%.0f', due_ms)))
    end
    if expires_ms ~= '' then redis.call('ZADD', expiry, expires_ms, id) end
    redis.call('HSET', tasks, id, created .. string.sub(record, 2))
  end
  if mark == 'f' or mark == 'd' or mark == 'm' then
    if cursor == '' then redis.call('HDEL', cursors, schedule) else redis.call('HSET', cursors, schedule, cursor) end
    if look_ms == '' then redis.call('ZREM', upcoming, schedule) else redis.call('ZADD', upcoming, look_ms, schedule) end
    if note ~= '' then redis.call('XADD', passed, 'MAXLEN', '~', 10000, '*', 'schedule', schedule, 'passed', note) end
  end
  marks[#marks + 1] = mark
end
if #fired > 0 then redis.call('HINCRBY', counts, 'added', #fired) redis.call('HINCRBY', counts, 'fired', #fired) end
if at[3] == '1' then redis.call('XADD', audit, '*', 'op', 'tick', 'term', term, 'ids', table.concat(fired, ' ')) end
if earliest < head then redis.call('PUBLISH', wake, string.format('due %.0f', earliest)) end
return {'ok', table.concat(marks), now_ms}
`,
};

export interface UpcomingKeys {
  /** hash: layout */
  meta: string;
  /** hash: schedule -> its definition */
  schedules: string;
  /** hash: schedule -> how far it has come */
  cursors: string;
  /** zset: schedule -> when it wants to be looked at */
  upcoming: string;
}

export interface UpcomingArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** those too whose time comes within so long */
  aheadMs: number;
  /** 1..1000 */
  limit: number;
  /** what is beyond this many bytes is left for the next call */
  bytesMax: number;
}

export type UpcomingReply =
  | {
      status: 'ok';
      nowMs: number;
      nextMs: number | null;
      schedules: { name: string; definition: string; cursor: string }[];
    }
  | { status: 'other_layout'; layout: string };

/** the schedules that want to be looked at by now, the earliest first. */
export const upcoming: Script<UpcomingKeys, UpcomingArgs, UpcomingReply> = {
  name: 'upcoming',
  sha1: '5e20c81cf02ef47c6013acd3a60c0775dc5c3cba',
  keys: ['meta', 'schedules', 'cursors', 'upcoming'],
  args: ['layout', 'nowMs', 'aheadMs', 'limit', 'bytesMax'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    '5e20c81cf02ef47c6013acd3a60c0775dc5c3cba',
    '4',
    word(keys.meta, 'upcoming: meta'),
    word(keys.schedules, 'upcoming: schedules'),
    word(keys.cursors, 'upcoming: cursors'),
    word(keys.upcoming, 'upcoming: upcoming'),
    word(args.layout, 'upcoming: layout'),
    word(args.nowMs, 'upcoming: nowMs'),
    word(args.aheadMs, 'upcoming: aheadMs'),
    word(args.limit, 'upcoming: limit'),
    word(args.bytesMax, 'upcoming: bytesMax'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(3, all, 'upcoming: ok');
        return {
          status: 'ok',
          nowMs: anInt(all[1], 'upcoming: ok.nowMs'),
          nextMs: anIntOrNull(all[2], 'upcoming: ok.nextMs'),
          schedules: groups(all[3], {
            size: 3,
            where: 'upcoming: ok.schedules',
            read: (list, at) => ({
              name: aString(list[at], 'upcoming: ok.schedules.name'),
              definition: aString(list[at + 1], 'upcoming: ok.schedules.definition'),
              cursor: aString(list[at + 2], 'upcoming: ok.schedules.cursor'),
            }),
          }),
        };
      case 'other_layout':
        atMost(1, all, 'upcoming: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'upcoming: other_layout.layout'),
        };
      default:
        throw strange(reply, 'upcoming', 'ok | other_layout');
    }
  },
  source: `#!lua flags=no-writes
local meta, schedules, cursors, upcoming = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, now_ms, ahead_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, bytes_max = tonumber(ARGV[4]), tonumber(ARGV[5])
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local names = redis.call('ZRANGE', upcoming, 0, limit, 'WITHSCORES')
local found, bytes, next_ms = {}, 0, false
for i = 1, #names, 2 do
  local look_ms = tonumber(names[i + 1])
  if look_ms > now_ms + ahead_ms or i > 2 * limit or bytes >= bytes_max then
    next_ms = math.min(math.max(0, math.ceil(look_ms)), 9e15)
    break
  end
  local definition = redis.call('HGET', schedules, names[i]) or ''
  found[#found + 1], found[#found + 2] = names[i], definition
  found[#found + 1] = redis.call('HGET', cursors, names[i]) or ''
  bytes = bytes + #definition + #found[#found]
end
return {'ok', now_ms, next_ms, found}
`,
};

export interface UpdateKeys {
  /** hash: layout, paused */
  meta: string;
  /** hash: lane -> {call, at_ms, reply} of its last call */
  lanes: string;
  /** hash: task id -> record */
  tasks: string;
}

export interface UpdateArgs {
  layout: string;
  /** 0 = this server's clock */
  nowMs: number;
  /** '' = this call will not be repeated */
  lane: string;
  /** number of this call on its lane: 1, 2, 3 ... */
  call: number;
  id: string;
  /** of the record that was read */
  wasSha1: string;
  record: string;
}

export type UpdateReply =
  | { status: 'ok' }
  | { status: 'changed' }
  | { status: 'not_found' }
  | { status: 'other_layout'; layout: string }
  | { status: 'late_call' };

/** replace a task's record, if it is still the one that was read. Counts from the next delivery. */
export const update: Script<UpdateKeys, UpdateArgs, UpdateReply> = {
  name: 'update',
  sha1: 'c418911d0e4dadf711f11d0bd3b6aef75542fb12',
  keys: ['meta', 'lanes', 'tasks'],
  args: ['layout', 'nowMs', 'lane', 'call', 'id', 'wasSha1', 'record'],
  items: [],
  words: (keys, args) => [
    'EVALSHA',
    'c418911d0e4dadf711f11d0bd3b6aef75542fb12',
    '3',
    word(keys.meta, 'update: meta'),
    word(keys.lanes, 'update: lanes'),
    word(keys.tasks, 'update: tasks'),
    word(args.layout, 'update: layout'),
    word(args.nowMs, 'update: nowMs'),
    word(args.lane, 'update: lane'),
    word(args.call, 'update: call'),
    word(args.id, 'update: id'),
    word(args.wasSha1, 'update: wasSha1'),
    word(args.record, 'update: record'),
  ],
  read: (reply) => {
    const all = Array.isArray(reply) ? reply : [];
    switch (all[0]) {
      case 'ok':
        atMost(0, all, 'update: ok');
        return { status: 'ok' };
      case 'changed':
        atMost(0, all, 'update: changed');
        return { status: 'changed' };
      case 'not_found':
        atMost(0, all, 'update: not_found');
        return { status: 'not_found' };
      case 'other_layout':
        atMost(1, all, 'update: other_layout');
        return {
          status: 'other_layout',
          layout: aString(all[1], 'update: other_layout.layout'),
        };
      case 'late_call':
        atMost(0, all, 'update: late_call');
        return { status: 'late_call' };
      default:
        throw strange(reply, 'update', 'ok | changed | not_found | other_layout | late_call');
    }
  },
  source: `#!lua
local meta, lanes, tasks = KEYS[1], KEYS[2], KEYS[3]
local layout, now_ms, lane, call, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local was_sha1, record = ARGV[6], ARGV[7]
local stored = redis.call('HGET', meta, 'layout')
if stored and stored ~= layout then return {'other_layout', stored} end
local kept = redis.call('HGET', lanes, lane)
if kept then
  local last = cmsgpack.unpack(kept)
  if last[1] == call then return last[3] end
  if last[1] > call then return {'late_call'} end
end
local time = redis.call('TIME')
if now_ms == 0 then now_ms = time[1] * 1000 + math.floor(time[2] / 1000) end
local record_now, reply = redis.call('HGET', tasks, id), nil
if not record_now then
  reply = {'not_found'}
elseif redis.sha1hex(record_now) ~= was_sha1 then
  reply = {'changed'}
else
  redis.call('HSET', tasks, id, record)
  reply = {'ok'}
end
if lane ~= '' then redis.call('HSET', lanes, lane, cmsgpack.pack({call, now_ms, reply})) end
return reply
`,
};

export const scripts: readonly ScriptDefinition[] = [
  add,
  age,
  beat,
  bury,
  cancel,
  claim,
  create,
  expire,
  get,
  grow,
  handBack,
  handedOut,
  has,
  join,
  lead,
  leave,
  list,
  next,
  open,
  pause,
  promote,
  purge,
  reap,
  recover,
  release,
  replay,
  reschedule,
  resign,
  retry,
  runNow,
  scan,
  schedule,
  schedules,
  stats,
  sweep,
  tick,
  upcoming,
  update,
];
