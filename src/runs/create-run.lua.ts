/** How long a buffered run sleeps between two looks, should the end of the one before it go unnoticed. */
const BUFFER_LOOK_MS = 30_000;

/**
 * Lua functions that make runs. Behind finish-run.lua.ts and, for who begins them, acquire.lua.ts.
 *
 * `createRun(run)`, with run = {ns, runId, scheduleId?, tickAt?, parentId?, specText, resultKey?, priority?, failedAgentId?, at, outboxMs, dueAt?, buffered?,
 * begin?}: returns 1 when it made the run, 0 when a run of this id is there already: then nothing is touched. With a later dueAt the run is
 * delayed; else it is waiting, to be enqueued by the caller at once, and the due index hands it out again after outboxMs
 * in case the caller dies before that. With `begin` (FirstDispatch) it is running instead, when one of the agents has a place; the
 * second value is that place as acquirePlaceLua says.
 *
 * `addLater(setKey, score, member)`, `addGathered()`: what all runs of a script add to the same sorted sets is added at once, at its end. The
 * script calls `addGathered()` then, and whenever it reads or removes there.
 *
 * `admit(ns, scheduleId, overlap, keep)`: what the overlap policy says to one more run: 'run', 'buffer' or 'skip'; for
 * cancel-previous it cancels those under way first. Second value: the cancelled as a list of {runId, agentId, epoch}.
 */
export const createRunLua = `
local gathered = {}
local function addLater(setKey, score, member)
  local list = gathered[setKey] or {}
  gathered[setKey] = list
  list[#list + 1] = score
  list[#list + 1] = member
end
local function addGathered()
  for setKey, list in pairs(gathered) do
    -- No more than fit on the stack of Lua.
    for from = 1, #list, 1000 do redis.call('ZADD', setKey, unpack(list, from, math.min(from + 999, #list))) end
  end
  gathered = {}
end
local function gatheredCount(setKey) return gathered[setKey] and #gathered[setKey] / 2 or 0 end

local namespacesSeen = {}
local function createRun(run)
  local key = runKey(run.ns, run.runId)
  if redis.call('EXISTS', key) == 1 then return 0 end
  local at = run.at
  local atText = whole(at)
  local fields = { 'namespace', run.ns, 'runId', run.runId, 'createdAt', atText, 'spec', run.specText, 'attempt', '0', 'epoch', '0' }
  local function set(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  for _, field in ipairs({ 'resultKey', 'priority', 'parentId', 'scheduleId', 'tickAt' }) do
    if run[field] then set(field, run[field]) end
  end
  if run.failedAgentId then set('failedAgentIds', run.failedAgentId) end
  local lookAt = at + run.outboxMs
  local place
  if run.buffered then
    set('state', 'waiting')
    set('enqueues', '0')
    set('buffered', '1')
    lookAt = at + ${BUFFER_LOOK_MS}
  elseif run.dueAt and run.dueAt > at then
    set('state', 'delayed')
    set('enqueues', '0')
    set('dueAt', run.dueAt)
    lookAt = run.dueAt
  else
    set('enqueues', '1')
    place = run.begin and acquirePlace(run.begin.query)
    if place and place[1] == 'taken' then
      fields[10], fields[12] = '1', '1'
      set('state', 'running')
      set('agentId', place[2])
      set('startedAt', atText)
      if run.begin.considered ~= '' then set('considered', run.begin.considered) end
      lookAt = at + run.begin.lookMs
    else
      place = nil
      set('state', 'waiting')
    end
  end
  redis.call('HSET', key, unpack(fields))
  addLater(dueKey, whole(lookAt), runMember(run.ns, run.runId))
  if run.scheduleId then
    redis.call('ZADD', runsOfKey(run.ns, run.scheduleId), atText, run.runId)
    if run.buffered then
      redis.call('SET', bufferKey(run.ns, run.scheduleId), run.runId)
    elseif not run.parentId then
      redis.call('SADD', openKey(run.ns, run.scheduleId), run.runId)
    end
  end
  if not namespacesSeen[run.ns] then
    redis.call('SADD', prefix .. ':namespaces', run.ns)
    namespacesSeen[run.ns] = true
  end
  addLater(prefix .. ':runs:' .. run.ns, atText, run.runId)
  return 1, place
end

local function admit(ns, scheduleId, overlap, keep)
  if overlap == 'allow' or redis.call('SCARD', openKey(ns, scheduleId)) == 0 then return 'run', {} end
  if overlap == 'skip' then return 'skip', {} end
  if overlap == 'buffer-one' then
    if redis.call('EXISTS', bufferKey(ns, scheduleId)) == 1 then return 'skip', {} end
    return 'buffer', {}
  end
  -- One of them may have been made by this script.
  addGathered()
  local cancelled = {}
  local why = '{"code":"CANCELLED","message":"cancelled: the next run of its schedule is due"}'
  for _, runId in ipairs(redis.call('SMEMBERS', openKey(ns, scheduleId))) do
    local code, agentId, epoch = finishRun(ns, runId, nil, 'cancelled', why, '', keep)
    if code == 1 then cancelled[#cancelled + 1] = { runId, agentId, epoch } end
    redis.call('SREM', openKey(ns, scheduleId), runId)
  end
  return 'run', cancelled
end
`;
