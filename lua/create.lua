#!lua flags=allow-oom
-- create: settle how many partitions a queue has, unless that is settled. On the first of them.
--
-- KEYS  1 meta    hash    layout
-- ARGV  1 layout  string  format/partitions
-- REPLY ok {layout string}
--
-- Whoever comes first decides; the reply is what holds from now on. Safe to repeat.
local meta, layout = KEYS[1], ARGV[1]
redis.call('HSETNX', meta, 'layout', layout)
return {'ok', redis.call('HGET', meta, 'layout')}
