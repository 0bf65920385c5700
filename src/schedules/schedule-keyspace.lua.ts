import { runKeyspaceLua } from '../runs/run-keyspace.lua.js';

/** Lua shared by every script that touches schedules. ARGV[1] is the key prefix, ARGV[2] the namespace, ARGV[3] the id. */
export const scheduleKeyspaceLua = `
${runKeyspaceLua}
local ns, id = ARGV[2], ARGV[3]
local key = prefix .. ':schedule:' .. ns .. ':' .. id
local indexKey = prefix .. ':schedules:' .. ns
local ticksKey = prefix .. ':ticks-of:' .. ns .. ':' .. id
local member = 's|' .. ns .. '|' .. id
-- A paused schedule keeps its next tick, but is not due.
local function putTick(tickAt, dueAt)
  if tickAt == '' or tickAt == nil then
    redis.call('HDEL', key, 'nextTickAt')
    redis.call('ZREM', dueKey, member)
  else
    redis.call('HSET', key, 'nextTickAt', tickAt, 'nextDueAt', dueAt)
    if redis.call('HEXISTS', key, 'pausedAt') == 1 then
      redis.call('ZREM', dueKey, member)
    else
      redis.call('ZADD', dueKey, dueAt, member)
    end
  end
end
`;
