import { runKeyspaceLua } from '../runs/run-keyspace.lua.js';

/**
 * Lua shared by every script that touches schedules. ARGV[1] is the key prefix. It is about the schedule ARGV[2] (namespace),
 * ARGV[3] (id); a script that is about several names them with `about(ns, id)`.
 */
export const scheduleKeyspaceLua = `
${runKeyspaceLua}
local ns, id, key, indexKey, ticksKey, member
local function about(namespace, scheduleId)
  ns, id = namespace, scheduleId
  key = prefix .. ':schedule:' .. ns .. ':' .. id
  indexKey = prefix .. ':schedules:' .. ns
  ticksKey = prefix .. ':ticks-of:' .. ns .. ':' .. id
  member = 's|' .. ns .. '|' .. id
end
if ARGV[3] then about(ARGV[2], ARGV[3]) end
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
