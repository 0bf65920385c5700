import type { ReleasedPlace } from '../agents/agents.service.js';
import { cancelledPlaceLua } from '../agents/cancelled-place.lua.js';

/**
 * Lua function `finishRun(ns, runId, epoch, final, errorJson, result, keep)`: ends a run, keeps its value under the result
 * key if it is the newest good one, lets a buffered run of the same schedule go, and forgets the oldest ended runs beyond
 * what is kept. `epoch` nil means: whatever the run is doing (a cancel). `keep` is {ms, of a schedule, of a namespace, ms of
 * results, ms of the place at an agent that a cancelled dispatch has}. Behind run-keyspace.lua.ts.
 * Returns 1, the agent where it was running or '', epoch, 1 when another run came due by it; or 0, state when it had ended already or the epoch is not the newest; or -1.
 */
export const finishRunFunctionLua = `
${cancelledPlaceLua}
local forgottenOf = {}
local function forget(ns, endedKey, scheduleId, at, keepMs, keepCount)
  -- Every few runs of one script: each time up to 40 go.
  forgottenOf[endedKey] = (forgottenOf[endedKey] or 7) + 1
  if forgottenOf[endedKey] % 8 ~= 0 then return end
  local old = redis.call('ZRANGEBYSCORE', endedKey, '-inf', at - keepMs, 'LIMIT', 0, 20)
  local excess = redis.call('ZCARD', endedKey) - keepCount
  if excess > 0 then
    for _, id in ipairs(redis.call('ZRANGE', endedKey, 0, math.min(excess, 20) - 1)) do old[#old + 1] = id end
  end
  for _, id in ipairs(old) do
    -- Of one that is forgotten for its age the hash has gone already, and with it whose it was.
    local owner = scheduleId or fieldsOf(runKey(ns, id), 'scheduleId')[1]
    redis.call('DEL', runKey(ns, id))
    redis.call('ZREM', prefix .. ':runs:' .. ns, id)
    redis.call('ZREM', prefix .. ':ended:' .. ns, id)
    redis.call('ZREM', prefix .. ':dead:' .. ns, id)
    redis.call('ZREM', endedKey, id)
    if owner then
      redis.call('ZREM', runsOfKey(ns, owner), id)
      redis.call('ZREM', endedOfKey(ns, owner), id)
    end
  end
end

-- Nothing tells of a value that expired. Each new key has three others looked at, so of the index at most about a third is such.
local function addToResults(ns, key)
  local index = prefix .. ':results:' .. ns
  if redis.call('ZADD', index, 0, key) == 0 then return end
  for _, other in ipairs(redis.call('ZRANDMEMBER', index, 3)) do
    if redis.call('EXISTS', prefix .. ':result:' .. ns .. ':' .. other) == 0 then redis.call('ZREM', index, other) end
  end
end

local function keepResult(ns, runId, key, final, result, tickAt, at, keepMs)
  local resultKey = prefix .. ':result:' .. ns .. ':' .. key
  local stored = fieldsOf(resultKey, 'tickAt', 'failedTickAt', 'version')
  local storedTickAt = tonumber(stored[3]) and tonumber(stored[1])
  if final == 'succeeded' then
    -- What is there and cannot be read is replaced.
    if not storedTickAt then redis.call('DEL', resultKey) end
    if not storedTickAt or storedTickAt <= tickAt then
      redis.call('HSET', resultKey, 'value', result, 'tickAt', tickAt, 'storedAt', at, 'runId', runId)
      redis.call('HINCRBY', resultKey, 'version', 1)
      addToResults(ns, key)
    end
    redis.call('PEXPIRE', resultKey, keepMs)
  elseif storedTickAt and (tonumber(stored[2]) or -1) < tickAt then
    redis.call('HSET', resultKey, 'failedTickAt', tickAt)
  end
end

-- From now on the run is one of those of which the oldest are forgotten.
local function countAsEnded(ns, runId, scheduleId, endedAtText, at, keep)
  local ended = prefix .. ':ended:' .. ns
  redis.call('ZADD', ended, endedAtText, runId)
  forget(ns, ended, nil, at, keep[1], keep[3])
  if scheduleId then
    local endedOf = endedOfKey(ns, scheduleId)
    redis.call('ZADD', endedOf, endedAtText, runId)
    forget(ns, endedOf, scheduleId, at, keep[1], keep[2])
    leaveLists(ns, scheduleId, keep[1])
  end
end

local function finishRun(ns, runId, epoch, final, errorJson, result, keep)
  local key = runKey(ns, runId)
  local known = fieldsOf(key, 'state', 'epoch', 'scheduleId', 'tickAt', 'createdAt', 'agentId', 'resultKey', 'parentId', 'parts')
  local state, scheduleId = known[1], known[3]
  if not state then return -1 end
  if isFinal(state) or (epoch and known[2] ~= epoch) then return 0, state end
  local at = timeMs()
  local atText = whole(at)
  local released = 0
  local fields = { 'state', final, 'finishedAt', atText }
  local over = { 'dueAt', 'waitingSince', 'repeatsAttempt', 'failedAgentIds', 'buffered' }
  if not epoch then
    -- A cancel raises the epoch, so that the answer of the dispatch under way is dropped.
    redis.call('HSET', key, 'epoch', whole((tonumber(known[2]) or 0) + 1))
    -- Nobody takes the run over now whose replica is dead: its place would stay taken until its timeout.
    if state == 'running' and known[6] then leavePlace(ns, known[6], runId, known[2], at + keep[5]) end
  end
  if result ~= '' then
    fields[#fields + 1] = 'result'
    fields[#fields + 1] = result
  end
  if errorJson ~= '' then
    fields[#fields + 1] = 'error'
    fields[#fields + 1] = errorJson
  else
    over[#over + 1] = 'error'
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('HDEL', key, unpack(over))
  redis.call('ZREM', dueKey, runMember(ns, runId))
  redis.call('PEXPIRE', key, keep[1])
  local tickAt = tonumber(known[4] or known[5])
  if known[7] and tickAt and final ~= 'cancelled' then
    keepResult(ns, runId, known[7], final, result, tickAt, at, keep[4])
  end
  if final == 'failed' or final == 'timed-out' then redis.call('ZADD', prefix .. ':dead:' .. ns, atText, runId) end
  if scheduleId then
    local buffered = redis.call('GET', bufferKey(ns, scheduleId))
    if buffered == runId then
      redis.call('DEL', bufferKey(ns, scheduleId))
      buffered = false
    end
    redis.call('SREM', openKey(ns, scheduleId), runId)
    -- The run that waited for this one, if that was the last one under way.
    if buffered and redis.call('SCARD', openKey(ns, scheduleId)) == 0 then
      redis.call('ZADD', dueKey, at, runMember(ns, buffered))
      released = 1
    end
  end
  local parentState = known[8] and fieldsOf(runKey(ns, known[8]), 'state')[1]
  if parentState and not isFinal(parentState) then
    -- Kept as long as its whole is under way, however many others end: what becomes of that depends on it. The last part wakes it.
    if redis.call('HINCRBY', runKey(ns, known[8]), 'openParts', -1) <= 0 then
      redis.call('ZADD', dueKey, 'XX', at, runMember(ns, known[8]))
      released = 1
    end
  else
    countAsEnded(ns, runId, scheduleId, atText, at, keep)
  end
  for index = 0, (tonumber(known[9]) or 0) - 1 do
    local partId = runId .. '.' .. index
    local part = fieldsOf(runKey(ns, partId), 'state', 'finishedAt')
    if part[1] and isFinal(part[1]) then countAsEnded(ns, partId, scheduleId, part[2], at, keep) end
  end
  return 1, state == 'running' and known[6] or '', tonumber(known[2]) or 0, released
end
`;

/** A run to end, as the script takes it. */
export interface RunToFinish {
  ns: string;
  runId: string;
  /** Absent: whatever it is doing (a cancel). */
  epoch?: string;
  state: string;
  /** JSON or ''. */
  error: string;
  /** JSON or ''. */
  result: string;
  /** The place at an agent that it had, to be given back in the same step, whether or not the run had ended already. */
  place?: ReleasedPlace;
}

/**
 * What the script answers: what {@link finishRunFunctionLua} does, and of the place what releasePlaceLua does; `failed, why` when it was not
 * given back.
 */
export interface FinishReply {
  ended: [code: number, what?: string, epoch?: number, released?: number];
  place?: string[];
}

/**
 * Lua function `endRun(item)`, see {@link RunToFinish} and {@link FinishReply}. The place comes back first: in the same script the next run may
 * have it. Behind {@link finishRunFunctionLua}, acquire.lua.ts, release.lua.ts, create-run.lua.ts and `keep`.
 */
export const endRunLua = `
local function endRun(item)
  -- The run that waits for this one may have been made by this script.
  addGathered()
  local reply = {}
  if item.place then
    -- A place falls back by its lease; the end of a run must not be lost.
    local fine, released = pcall(releasePlace, item.place)
    inspectAnew(item.place.prefix .. ':' .. item.place.agentId)
    reply.place = fine and released or { 'failed', type(released) == 'table' and released.err or tostring(released) }
  end
  local code, what, number, released = finishRun(item.ns, item.runId, item.epoch, item.state, item.error, item.result, keep)
  if code == 1 then reply.ended = { 1, what, number, released }
  elseif code == 0 then reply.ended = { 0, what }
  else reply.ended = { -1 } end
  return reply
end
`;
