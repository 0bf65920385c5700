import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * A run came due: its delay or retry time is over, the run before it ended, or something of it was lost.
 * ARGV: prefix, ns, runId, outboxMs, ms until a run that still has to wait is looked at again, '1' to take it from whoever was handed it and
 * has not begun it.
 * What came due before its time goes back to it: a claim may be older than the delay.
 * Returns {enqueues, 1 when it was put off, else 0, priority or 0, 1 when it was running, else 0, epoch} when the run must be handed to the engine under this
 * number, {} when it ended, never was, still has to wait, or was to be taken and is running. The number grows only for a run that was put off
 * or is taken; else the engine still has, or lost, the old one's job.
 */
export const requeueRunLua = `
${runKeyspaceLua}
local ns, runId = ARGV[2], ARGV[3]
local key = runKey(ns, runId)
local known = fieldsOf(key, 'state', 'dueAt', 'enqueues', 'buffered', 'scheduleId', 'priority', 'openParts', 'epoch')
local state = known[1]
if not state or isFinal(state) then
  redis.call('ZREM', dueKey, runMember(ns, runId))
  return {}
end
if (tonumber(known[2]) or 0) > timeMs() then
  redis.call('ZADD', dueKey, known[2], runMember(ns, runId))
  return {}
end
local isTaken = ARGV[6] == '1'
if isTaken and state == 'running' then return {} end
if (tonumber(known[7]) or 0) > 0 then
  redis.call('ZADD', dueKey, timeMs() + tonumber(ARGV[5]), runMember(ns, runId))
  return {}
end
local putOff = known[2] or known[7]
if known[4] then
  if redis.call('SCARD', openKey(ns, known[5])) > 0 then
    redis.call('ZADD', dueKey, timeMs() + tonumber(ARGV[5]), runMember(ns, runId))
    return {}
  end
  redis.call('DEL', bufferKey(ns, known[5]))
  redis.call('SADD', openKey(ns, known[5]), runId)
  putOff = true
end
local enqueues = tonumber(known[3]) or 0
if putOff or isTaken then
  enqueues = enqueues + 1
  redis.call('HSET', key, 'enqueues', enqueues)
  redis.call('HDEL', key, 'dueAt', 'buffered')
  -- A divided run whose parts have all ended goes back for its conclusion.
  if not known[7] then redis.call('HSET', key, 'state', 'waiting') end
end
redis.call('ZADD', dueKey, timeMs() + tonumber(ARGV[4]), runMember(ns, runId))
return { enqueues, putOff and 1 or 0, tonumber(known[6]) or 0, state == 'running' and 1 or 0, tonumber(known[8]) or 0 }
`;
