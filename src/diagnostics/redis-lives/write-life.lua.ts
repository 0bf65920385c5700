import { livesKeyspaceLua } from './lives-keyspace.lua.js';

/**
 * Keeps a record of a life, or that it has ended; forgets the oldest samples, lives and instances.
 * ARGV: prefix, instance, life, header JSON, record JSON or '', stoppedAt or '', samples kept, lives kept, instances kept, ms after
 * which an instance is forgotten that is not heard any more.
 */
export const writeLifeLua = `
${livesKeyspaceLua}
local life, record, stoppedAt = ARGV[3], ARGV[5], ARGV[6]
local ttlMs = tonumber(ARGV[10])
local samples, lives = samplesKey(instance), livesKey(instance)
local known = redis.call('HGET', lives, life)
local entry = known and cjson.decode(known) or {}
entry.header = ARGV[4]
if record ~= '' then
  entry.last = redis.call('XADD', samples, 'MAXLEN', '~', ARGV[7], '*', 'life', life, 'record', record)
  entry.first = entry.first or entry.last
end
if stoppedAt ~= '' then entry.stoppedAt = stoppedAt end
redis.call('HSET', lives, life, cjson.encode(entry))
local excess = redis.call('HLEN', lives) - tonumber(ARGV[8])
if excess > 0 then
  -- Their ids begin with the moment of their start.
  local ids = redis.call('HKEYS', lives)
  table.sort(ids)
  for at = 1, excess do redis.call('HDEL', lives, ids[at]) end
end
redis.call('PEXPIRE', samples, ttlMs)
redis.call('PEXPIRE', lives, ttlMs)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', instancesKey, now, instance)
redis.call('PEXPIRE', instancesKey, ttlMs)
redis.call('ZREMRANGEBYSCORE', instancesKey, '-inf', now - ttlMs)
for _, name in ipairs(redis.call('ZRANGE', instancesKey, 0, -1 - tonumber(ARGV[9]))) do
  redis.call('UNLINK', samplesKey(name), livesKey(name))
  redis.call('ZREM', instancesKey, name)
end
return 1
`;
