#!lua flags=allow-oom
-- leave: a consumer that ends says so, and is forgotten, unless something is still pending with it.
--
-- KEYS  1 stream  stream  {id, due}
--       2 consumers hash  consumer -> 'lease_ms beat_ms worker'
-- ARGV  1 consumer string
-- REPLY ok
--       busy
--
-- busy: what is pending is recovered by others when its lease is over, and the consumer is reaped after that.
local stream, consumers = KEYS[1], KEYS[2]
local consumer = ARGV[1]
redis.call('XLEN', stream) redis.call('HLEN', consumers)
local pending = redis.pcall('XPENDING', stream, 'workers', '-', '+', 1, consumer)
if pending[1] then return {'busy'} end
redis.pcall('XGROUP', 'DELCONSUMER', stream, 'workers', consumer)
redis.call('HDEL', consumers, consumer)
return {'ok'}
