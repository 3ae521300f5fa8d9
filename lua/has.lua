#!lua flags=no-writes
-- has: which of these ids live here. A producer's, where they belonged before the queue grew, before it adds them.
--
-- KEYS  1 meta    hash    layout
--       2 tasks   hash    task id -> record
-- ARGV  1 layout  string
-- ITEMS id string
-- REPLY ok {marks string}
--       other_layout {layout string}
--
-- A mark per item: y it lives, n it does not; and then never again, for under this layout none of them is added here.
local meta, tasks = KEYS[1], KEYS[2]
local layout = ARGV[1]
local stored = redis.call('HGET', meta, 'layout')
if stored ~= layout then return {'other_layout', stored or ''} end
local marks = {}
for i = 2, #ARGV do marks[#marks + 1] = redis.call('HEXISTS', tasks, ARGV[i]) == 1 and 'y' or 'n' end
return {'ok', table.concat(marks)}
