import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Begins a dispatch, fenced: only if the run has not ended and nobody began one since this replica read it.
 * ARGV: prefix, ns, runId, epoch read, attempt, agentId, ms until the run is looked after again, JSON of who else
 * was considered or ''.
 * Returns the new epoch, 0 when somebody else was faster.
 */
export const startAttemptLua = `
${runKeyspaceLua}
local ns, runId = ARGV[2], ARGV[3]
local key = runKey(ns, runId)
local known = redis.call('HMGET', key, 'state', 'epoch')
if not known[1] or isFinal(known[1]) or known[2] ~= ARGV[4] then return 0 end
local at = now()
local epoch = tonumber(ARGV[4]) + 1
redis.call('HSET', key, 'state', 'running', 'epoch', epoch, 'attempt', ARGV[5], 'agentId', ARGV[6])
redis.call('HSETNX', key, 'startedAt', at)
redis.call('HDEL', key, 'waitingSince', 'repeatsAttempt', 'dueAt')
if ARGV[8] ~= '' then redis.call('HSET', key, 'considered', ARGV[8]) end
redis.call('ZADD', dueKey, at + tonumber(ARGV[7]), runMember(ns, runId))
return epoch
`;
