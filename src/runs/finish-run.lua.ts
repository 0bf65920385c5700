import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Ends a run, fenced by the epoch, keeps its value under the result key if it is the newest good one, and forgets the
 * oldest ended runs beyond what is kept.
 * ARGV: prefix, ns, runId, epoch ('' for any: a cancel), state, error JSON or '', result JSON or '', result key or '',
 * retentionMs, kept of a schedule, kept of a namespace, result retentionMs.
 * Returns {1, agentId or '', epoch}, {0, state} when it had ended already or the epoch is not the newest, {-1} when it never was.
 */
export const finishRunLua = `
${runKeyspaceLua}
local ns, runId = ARGV[2], ARGV[3]
local key = runKey(ns, runId)
local known = redis.call('HMGET', key, 'state', 'epoch', 'scheduleId', 'tickAt', 'createdAt', 'agentId')
local state, epoch, scheduleId = known[1], known[2], known[3]
if not state then return { -1 } end
if isFinal(state) or (ARGV[4] ~= '' and epoch ~= ARGV[4]) then return { 0, state } end
local at = now()
local final = ARGV[5]
redis.call('HSET', key, 'state', final, 'finishedAt', at)
redis.call('HDEL', key, 'dueAt', 'waitingSince', 'repeatsAttempt', 'failedAgentIds')
-- A cancel raises the epoch, so that the answer of the dispatch under way is dropped.
if ARGV[4] == '' then redis.call('HINCRBY', key, 'epoch', 1) end
if ARGV[6] ~= '' then redis.call('HSET', key, 'error', ARGV[6]) else redis.call('HDEL', key, 'error') end
if ARGV[7] ~= '' then redis.call('HSET', key, 'result', ARGV[7]) end
redis.call('ZREM', dueKey, runMember(ns, runId))
redis.call('PEXPIRE', key, ARGV[9])

if ARGV[8] ~= '' and final ~= 'cancelled' then
  local resultKey = prefix .. ':result:' .. ns .. ':' .. ARGV[8]
  local tickAt = tonumber(known[4] or known[5])
  local stored = redis.call('HMGET', resultKey, 'tickAt', 'failedTickAt')
  if final == 'succeeded' then
    if not stored[1] or tonumber(stored[1]) <= tickAt then
      redis.call('HSET', resultKey, 'value', ARGV[7], 'tickAt', tickAt, 'storedAt', at, 'runId', runId)
      redis.call('HINCRBY', resultKey, 'version', 1)
      redis.call('ZADD', prefix .. ':results:' .. ns, 0, ARGV[8])
    end
    redis.call('PEXPIRE', resultKey, ARGV[12])
  elseif stored[1] and (not stored[2] or tonumber(stored[2]) < tickAt) then
    redis.call('HSET', resultKey, 'failedTickAt', tickAt)
  end
end

local function forget(endedKey, keep)
  local excess = redis.call('ZCARD', endedKey) - keep
  local old = redis.call('ZRANGEBYSCORE', endedKey, '-inf', at - tonumber(ARGV[9]), 'LIMIT', 0, 20)
  if excess > 0 then
    for _, id in ipairs(redis.call('ZRANGE', endedKey, 0, math.min(excess, 20) - 1)) do old[#old + 1] = id end
  end
  for _, id in ipairs(old) do
    local owner = redis.call('HGET', runKey(ns, id), 'scheduleId')
    redis.call('DEL', runKey(ns, id))
    redis.call('ZREM', prefix .. ':runs:' .. ns, id)
    redis.call('ZREM', prefix .. ':ended:' .. ns, id)
    redis.call('ZREM', endedKey, id)
    if owner then
      redis.call('ZREM', prefix .. ':runs-of:' .. ns .. ':' .. owner, id)
      redis.call('ZREM', prefix .. ':ended-of:' .. ns .. ':' .. owner, id)
    end
  end
end
redis.call('ZADD', prefix .. ':ended:' .. ns, at, runId)
forget(prefix .. ':ended:' .. ns, tonumber(ARGV[11]))
if scheduleId then
  redis.call('ZADD', prefix .. ':ended-of:' .. ns .. ':' .. scheduleId, at, runId)
  forget(prefix .. ':ended-of:' .. ns .. ':' .. scheduleId, tonumber(ARGV[10]))
end
return { 1, known[6] or '', tonumber(epoch) }
`;
