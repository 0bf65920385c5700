import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Lua function `createRun(ns, runId, scheduleId, tickAt, spec, at, outboxMs, dueAt)`; scheduleId and tickAt may be ''.
 * Returns 1 when it made the run, 0 when a run of this id is there already: then nothing is touched.
 * With dueAt > 0 the run is delayed; else it is waiting, to be enqueued by the caller at once, and the due index hands it
 * out again after outboxMs in case the caller dies before that.
 */
export const createRunLua = `
local function createRun(ns, runId, scheduleId, tickAt, spec, at, outboxMs, dueAt)
  local key = runKey(ns, runId)
  if redis.call('EXISTS', key) == 1 then return 0 end
  redis.call('HSET', key, 'namespace', ns, 'runId', runId, 'spec', spec, 'attempt', 0, 'epoch', 0, 'createdAt', at)
  if scheduleId ~= '' then
    redis.call('HSET', key, 'scheduleId', scheduleId)
    redis.call('ZADD', prefix .. ':runs-of:' .. ns .. ':' .. scheduleId, at, runId)
  end
  if tickAt ~= '' then redis.call('HSET', key, 'tickAt', tickAt) end
  if dueAt > at then
    redis.call('HSET', key, 'state', 'delayed', 'enqueues', 0, 'dueAt', dueAt)
    redis.call('ZADD', dueKey, dueAt, runMember(ns, runId))
  else
    redis.call('HSET', key, 'state', 'waiting', 'enqueues', 1)
    redis.call('ZADD', dueKey, at + outboxMs, runMember(ns, runId))
  end
  redis.call('ZADD', prefix .. ':runs:' .. ns, at, runId)
  return 1
end
`;

/**
 * Submits one run.
 * ARGV: prefix, ns, runId, scheduleId, spec, outboxMs, delayMs, dueAt, idempotency scope, idempotency key, windowMs, maxOpenRuns.
 * Returns {runId, created 0|1, now, dueAt of a delayed run or 0}; an error reply 'RUNS_FULL' when too many runs are open.
 */
export const submitRunLua = `
${runKeyspaceLua}
${createRunLua}
local ns, runId, scheduleId, spec = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local at = now()
local idempotencyKey
if ARGV[10] ~= '' then
  idempotencyKey = prefix .. ':idempotency:' .. ns .. ':' .. ARGV[9] .. ':' .. ARGV[10]
  local first = redis.call('GET', idempotencyKey)
  if first then return { first, 0, at, 0 } end
end
if redis.call('ZCARD', dueKey) >= tonumber(ARGV[12]) then return redis.error_reply('RUNS_FULL') end
local dueAt = tonumber(ARGV[8])
if tonumber(ARGV[7]) > 0 then dueAt = at + tonumber(ARGV[7]) end
local created = createRun(ns, runId, scheduleId, '', spec, at, tonumber(ARGV[6]), dueAt)
if idempotencyKey then redis.call('SET', idempotencyKey, runId, 'PX', ARGV[11]) end
if dueAt <= at then dueAt = 0 end
return { runId, created, at, dueAt }
`;
