import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * A run came due: its delay or retry time is over, or something of it was lost.
 * ARGV: prefix, ns, runId, outboxMs.
 * Returns {enqueues, 1 when it was put off, else 0, priority or 0} when the run must be handed to the engine under this number, {} when it
 * ended or never was. The number grows only for a run that was put off; else the engine still has, or lost, the old one's job.
 */
export const requeueRunLua = `
${runKeyspaceLua}
local ns, runId = ARGV[2], ARGV[3]
local key = runKey(ns, runId)
local state = redis.call('HGET', key, 'state')
if not state or isFinal(state) then
  redis.call('ZREM', dueKey, runMember(ns, runId))
  return {}
end
local enqueues
local putOff = 0
if redis.call('HEXISTS', key, 'dueAt') == 1 then
  enqueues = redis.call('HINCRBY', key, 'enqueues', 1)
  redis.call('HDEL', key, 'dueAt')
  redis.call('HSET', key, 'state', 'waiting')
  putOff = 1
else
  enqueues = tonumber(redis.call('HGET', key, 'enqueues'))
end
redis.call('ZADD', dueKey, now() + tonumber(ARGV[4]), runMember(ns, runId))
return { enqueues, putOff, cjson.decode(redis.call('HGET', key, 'spec')).priority or 0 }
`;
