import type { PlaceQuery } from '../agents/acquire.lua.js';

/** A dispatch to begin, as the script takes it. */
export interface AttemptToBegin {
  ns: string;
  runId: string;
  /** As the caller read it. */
  epoch: string;
  attempt: number;
  /** ms until the run is looked after again, unless its replica puts that off (watch-runs.lua.ts). */
  lookMs: number;
  query: PlaceQuery;
  /** Where the dispatch before this one, which nobody carries on, still holds a place. */
  priorAgentId?: string;
  /** JSON of who else was considered, or ''. */
  considered: string;
}

/**
 * Lua function `beginAttempt(item)`, see {@link AttemptToBegin}: takes a place at an agent and begins a dispatch there, fenced: only if the
 * run has not ended and nobody began one since this replica read it. What is not begun takes no place.
 * Behind acquire.lua.ts. Returns `stale`, or what acquirePlaceLua says.
 */
export const beginAttemptLua = `
local function beginAttempt(item)
  local key = runKey(item.ns, item.runId)
  local known = fieldsOf(key, 'state', 'epoch', 'startedAt')
  if not known[1] or isFinal(known[1]) or known[2] ~= item.epoch then return { 'stale' } end
  if item.priorAgentId then givePlaceBack(item.query, item.priorAgentId, item.runId .. '#' .. item.epoch) end
  local place = acquirePlace(item.query)
  if place[1] ~= 'taken' then return place end
  local at = timeMs()
  local fields = { 'state', 'running', 'epoch', tonumber(item.epoch) + 1, 'attempt', item.attempt, 'agentId', place[2] }
  if not known[3] then
    fields[#fields + 1] = 'startedAt'
    fields[#fields + 1] = at
  end
  if item.considered ~= '' then
    fields[#fields + 1] = 'considered'
    fields[#fields + 1] = item.considered
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('HDEL', key, 'waitingSince', 'repeatsAttempt', 'dueAt')
  redis.call('ZADD', dueKey, at + item.lookMs, runMember(item.ns, item.runId))
  return place
end
`;
