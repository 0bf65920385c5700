import { runKeyspaceLua } from '../runs/run-keyspace.lua.js';

/** Lua shared by every script that touches schedules. ARGV[1] is the key prefix, ARGV[2] the namespace, ARGV[3] the id. */
export const scheduleKeyspaceLua = `
${runKeyspaceLua}
local ns, id = ARGV[2], ARGV[3]
local key = prefix .. ':schedule:' .. ns .. ':' .. id
local indexKey = prefix .. ':schedules:' .. ns
local member = 's|' .. ns .. '|' .. id
local function putTick(tickAt, dueAt)
  if tickAt == '' then
    redis.call('HDEL', key, 'nextTickAt')
    redis.call('ZREM', dueKey, member)
  else
    redis.call('HSET', key, 'nextTickAt', tickAt)
    redis.call('ZADD', dueKey, dueAt, member)
  end
end
`;
