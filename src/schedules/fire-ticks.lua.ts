import { acquirePlaceLua } from '../agents/acquire.lua.js';
import { createRunLua } from '../runs/create-run.lua.js';
import { finishRunFunctionLua } from '../runs/finish-run.lua.js';
import { scheduleKeyspaceLua } from './schedule-keyspace.lua.js';

/**
 * Deals with due ticks of several schedules, each by itself: makes their runs as the overlap policy allows, writes down how each
 * due time ended, and moves the schedule on, if nobody did so since the caller read it. The id of a run is made of
 * schedule and due time, so a tick has one run whoever fires it.
 *
 * ARGV: prefix, JSON of {plans, outboxMs, keep, ledgerCount, ledgerMs}; a plan is {ns, id, version, createdAt,
 * readTickAt, nextTickAt?, nextDueAt?, maxRuns?, pausedAt?, skipUntil?, latenessMs?, entries, specText, resultKey?, overlap}; an entry is {tickAt, runId, lateMs?, begin?} to fire or
 * {from, to, count, outcome, reason}.
 * Returns JSON, for each plan {made: [{runId, place?}], cancelled: [[runId, agentId, epoch]]}, {error: text}, or false when the
 * schedule is no longer as it was read. One broken record does not hold back the others. A run that was cancelled for one behind it in the same
 * plan is in neither list: nobody has heard of it.
 *
 * The tick ledger is run-length encoded: an entry `from|to|count|outcome|reason|version` covers ticks in a row that ended alike, so a
 * schedule that fires on time has one entry however long it runs. The newest entry is the schedule's field `lastTicks`, which costs
 * nothing to extend; it moves to the ledger (`ticks-of`) when a tick ends otherwise.
 */
export const fireTicksLua = `
${scheduleKeyspaceLua}
${acquirePlaceLua}
${finishRunFunctionLua}
${createRunLua}
local request = cjson.decode(ARGV[2])

local at = timeMs()

-- Four times in the life of the ledger is often enough for one that does not grow.
local function isLedgerToKeep(plan)
  local quarterMs = request.ledgerMs / 4
  return not plan.nextTickAt or math.floor(plan.readTickAt / quarterMs) ~= math.floor(plan.nextTickAt / quarterMs)
end

local function fire(plan)
  about(plan.ns, plan.id)
  local known = redis.call(
    'HMGET', key, 'version', 'nextTickAt', 'pausedAt', 'fired', 'late', 'skipped', 'missed', 'createdAt', 'skipUntil',
    'lastTicks'
  )
  if known[1] ~= plan.version or known[2] ~= plan.readTickAt or (known[3] or false) ~= (plan.pausedAt or false) then return false end
  -- A plan may have been made a while ago: since then the schedule may have been removed and declared anew, or paused and resumed.
  if known[8] ~= plan.createdAt or (known[9] or false) ~= (plan.skipUntil or false) then return false end
  local counts = {
    fired = tonumber(known[4] or 0), late = tonumber(known[5] or 0),
    skipped = tonumber(known[6] or 0), missed = tonumber(known[7] or 0),
  }
  local last = known[10]
  local hasGrown = false

  local function record(from, to, count, outcome, reason)
    counts[outcome] = counts[outcome] + count
    local ending = outcome .. '|' .. reason .. '|' .. plan.version
    if last then
      local lastFrom, lastCount, lastEnding = string.match(last, '^(%d+)|%d+|(%d+)|(.*)$')
      if outcome ~= 'late' and lastEnding == ending then
        from = tonumber(lastFrom)
        count = count + tonumber(lastCount)
      else
        redis.call('ZADD', ticksKey, lastFrom, last)
        hasGrown = true
      end
    end
    last = whole(from) .. '|' .. whole(to) .. '|' .. whole(count) .. '|' .. ending
  end

  local made, cancelled, queryOf = {}, {}, {}
  -- A run that this script made and cancelled was handed to nobody, and no agent knows of it: neither may happen any more.
  local function forgetMade(runId)
    for at, run in ipairs(made) do
      if run.runId == runId then
        if run.place then givePlaceBack(queryOf[runId], run.place[2], queryOf[runId].place) end
        table.remove(made, at)
        return true
      end
    end
    return false
  end
  local lastTickAt, lastRunId
  for _, entry in ipairs(plan.entries) do
    if not entry.runId then
      record(entry.from, entry.to, entry.count, entry.outcome, entry.reason)
    else
      local admitted, ended = admit(ns, id, plan.overlap, request.keep)
      for _, one in ipairs(ended) do
        if not forgetMade(one[1]) then cancelled[#cancelled + 1] = one end
      end
      if admitted == 'skip' then
        record(entry.tickAt, entry.tickAt, 1, 'skipped', 'overlap')
      else
        local isNew, place = createRun({
          ns = ns, runId = entry.runId, scheduleId = id, tickAt = whole(entry.tickAt), specText = plan.specText, resultKey = plan.resultKey,
          at = at, outboxMs = request.outboxMs, buffered = admitted == 'buffer' or nil,
          begin = entry.begin,
        })
        if admitted == 'run' and isNew == 1 then
          made[#made + 1] = { runId = entry.runId, place = place }
          queryOf[entry.runId] = place and entry.begin.query
        end
        if entry.lateMs then
          record(entry.tickAt, entry.tickAt, 1, 'late', whole(entry.lateMs))
        else
          record(entry.tickAt, entry.tickAt, 1, 'fired', '')
        end
        lastTickAt, lastRunId = entry.tickAt, entry.runId
      end
    end
  end

  local fields = {}
  local function set(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  for outcome, count in pairs(counts) do
    if count > 0 then set(outcome, whole(count)) end
  end
  if lastRunId then
    set('lastTickAt', whole(lastTickAt))
    set('lastRunId', lastRunId)
  end
  if plan.latenessMs then set('latenessMs', whole(plan.latenessMs)) end
  if last then set('lastTicks', last) end
  if hasGrown then redis.call('ZREMRANGEBYRANK', ticksKey, 0, -request.ledgerCount) end
  if hasGrown or isLedgerToKeep(plan) then redis.call('PEXPIRE', ticksKey, whole(request.ledgerMs)) end
  if plan.nextTickAt and not (plan.maxRuns and counts.fired + counts.late >= plan.maxRuns) then
    set('nextTickAt', whole(plan.nextTickAt))
    set('nextDueAt', whole(plan.nextDueAt))
    if not known[3] then addLater(dueKey, whole(plan.nextDueAt), member) end
  else
    putTick('')
  end
  if #fields > 0 then redis.call('HSET', key, unpack(fields)) end
  return { made = made, cancelled = cancelled }
end

local reply = {}
for index, plan in ipairs(request.plans) do
  local fine, fired = pcall(fire, plan)
  if not fine then fired = { error = type(fired) == 'table' and fired.err or tostring(fired) } end
  reply[index] = fired
end
addGathered()
return cjson.encode(reply)
`;
