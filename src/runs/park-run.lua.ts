import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Puts a run off: it comes due again after a delay.
 * ARGV: prefix, ns, runId, epoch, state (waiting or retrying), delayMs, error JSON or '', failed agent or '',
 * '1' to repeat the attempt, '1' to count a redispatch, '1' when no agent could take it,
 * JSON of who was considered or ''.
 * Returns {when it comes due, ms it has waited for an agent}, {} when the epoch is not the newest or the run has ended.
 */
export const parkRunLua = `
${runKeyspaceLua}
local ns, runId = ARGV[2], ARGV[3]
local key = runKey(ns, runId)
local known = fieldsOf(key, 'state', 'epoch', 'failedAgentIds')
if not known[1] or isFinal(known[1]) or known[2] ~= ARGV[4] then return {} end
local at = timeMs()
local dueAt = at + tonumber(ARGV[6])
redis.call('HSET', key, 'state', ARGV[5], 'dueAt', dueAt)
if ARGV[7] ~= '' then redis.call('HSET', key, 'error', ARGV[7]) end
if ARGV[8] ~= '' then
  local failed = ARGV[8]
  local kept = 0
  for id in string.gmatch(known[3] or '', '[^,]+') do
    if id ~= ARGV[8] and kept < 15 then
      failed = id .. ',' .. failed
      kept = kept + 1
    end
  end
  redis.call('HSET', key, 'failedAgentIds', failed)
end
if ARGV[9] == '1' then redis.call('HSET', key, 'repeatsAttempt', 1) else redis.call('HDEL', key, 'repeatsAttempt') end
if ARGV[10] == '1' then
  redis.call('HINCRBY', key, 'redispatches', 1)
elseif ARGV[5] == 'retrying' then
  -- They are counted of each attempt.
  redis.call('HDEL', key, 'redispatches')
end
if ARGV[12] ~= '' then redis.call('HSET', key, 'considered', ARGV[12]) end
local waitedMs = 0
if ARGV[11] == '1' then
  redis.call('HSETNX', key, 'waitingSince', at)
  waitedMs = at - tonumber(redis.call('HGET', key, 'waitingSince'))
end
redis.call('ZADD', dueKey, dueAt, runMember(ns, runId))
return { dueAt, waitedMs }
`;
