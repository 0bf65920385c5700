import { finishRunFunctionLua } from './finish-run.lua.js';
import { createRunLua } from './create-run.lua.js';
import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Divides a run into parts, one per agent, fenced: only if nobody began it since it was read. The run is under way until its last part has
 * ended; then it comes due for its conclusion.
 * ARGV: prefix, ns, runId, epoch read, JSON of {parts: [{runId, specText, priority?}], outboxMs, lookMs, scheduleId?, tickAt?}.
 * Returns the new epoch, 0 when somebody else was faster.
 */
export const divideRunLua = `
${runKeyspaceLua}
${finishRunFunctionLua}
${createRunLua}
local ns, runId = ARGV[2], ARGV[3]
local request = cjson.decode(ARGV[5])
local key = runKey(ns, runId)
local known = fieldsOf(key, 'state', 'epoch')
if not known[1] or isFinal(known[1]) or known[2] ~= ARGV[4] then return 0 end
local at = timeMs()
for _, part in ipairs(request.parts) do
  createRun({
    ns = ns, runId = part.runId, scheduleId = request.scheduleId, tickAt = request.tickAt, parentId = runId,
    specText = part.specText, priority = part.priority, at = at, outboxMs = request.outboxMs,
  })
end
addGathered()
local epoch = tonumber(ARGV[4]) + 1
redis.call('HSET', key, 'state', 'running', 'epoch', epoch, 'attempt', 1, 'parts', #request.parts, 'openParts', #request.parts)
redis.call('HSETNX', key, 'startedAt', at)
redis.call('HDEL', key, 'waitingSince', 'repeatsAttempt', 'dueAt')
redis.call('ZADD', dueKey, at + request.lookMs, runMember(ns, runId))
return epoch
`;
