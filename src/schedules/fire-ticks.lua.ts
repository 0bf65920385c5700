import { createRunLua } from '../runs/create-run.lua.js';
import { finishRunFunctionLua } from '../runs/finish-run.lua.js';
import { scheduleKeyspaceLua } from './schedule-keyspace.lua.js';

/**
 * Deals with due ticks: makes their runs as the overlap policy allows, writes down how each due time ended, and moves the
 * schedule on, in one step, if nobody did so since the caller read it. The id of a run is made of schedule and due time,
 * so a tick has one run whoever fires it.
 *
 * ARGV: prefix, ns, id, JSON of {version, readTickAt, nextTickAt?, nextDueAt?, maxRuns?, latenessMs?, entries, specText, resultKey?,
 * outboxMs, overlap, keep, ledgerCount, ledgerMs}; an entry is {tickAt, runId, lateMs?} to fire or {from, to, count,
 * outcome, reason}.
 * Returns JSON {made: [runId], cancelled: [[runId, agentId, epoch]]}, or false when somebody else was faster.
 *
 * The tick ledger (`ticks-of`) is run-length encoded: an entry `from|to|count|outcome|reason|version` covers ticks in a row that
 * ended alike, so a schedule that fires on time has one entry however long it runs.
 */
export const fireTicksLua = `
${scheduleKeyspaceLua}
${finishRunFunctionLua}
${createRunLua}
local plan = cjson.decode(ARGV[4])
local known = redis.call('HMGET', key, 'version', 'nextTickAt', 'pausedAt', 'fired', 'late')
if known[1] ~= plan.version or known[2] ~= plan.readTickAt or known[3] then return false end
local at = now()
local made, cancelled = {}, {}
local runs = tonumber(known[4] or 0) + tonumber(known[5] or 0)

local function whole(number) return string.format('%.0f', number) end

local function record(from, to, count, outcome, reason)
  redis.call('HINCRBY', key, outcome, whole(count))
  local last = redis.call('ZREVRANGE', ticksKey, 0, 0)[1]
  if last and outcome ~= 'late' then
    local lastFrom, lastCount, lastEnd = string.match(last, '^(%d+)|%d+|(%d+)|(.*)$')
    if lastEnd == outcome .. '|' .. reason .. '|' .. plan.version then
      redis.call('ZREM', ticksKey, last)
      from = tonumber(lastFrom)
      count = count + tonumber(lastCount)
    end
  end
  redis.call('ZADD', ticksKey, whole(from), table.concat({ whole(from), whole(to), whole(count), outcome, reason, plan.version }, '|'))
end

for _, entry in ipairs(plan.entries) do
  if not entry.runId then
    record(entry.from, entry.to, entry.count, entry.outcome, entry.reason)
  else
    local admitted, ended = admit(ns, id, plan.overlap, plan.keep)
    for _, one in ipairs(ended) do cancelled[#cancelled + 1] = one end
    if admitted == 'skip' then
      record(entry.tickAt, entry.tickAt, 1, 'skipped', 'overlap')
    else
      local isNew = createRun({
        ns = ns, runId = entry.runId, scheduleId = id, tickAt = whole(entry.tickAt), specText = plan.specText, resultKey = plan.resultKey,
        at = at, outboxMs = plan.outboxMs, buffered = admitted == 'buffer' or nil,
      })
      if admitted == 'run' and isNew == 1 then made[#made + 1] = entry.runId end
      runs = runs + 1
      if entry.lateMs then
        record(entry.tickAt, entry.tickAt, 1, 'late', whole(entry.lateMs))
      else
        record(entry.tickAt, entry.tickAt, 1, 'fired', '')
      end
      redis.call('HSET', key, 'lastTickAt', whole(entry.tickAt), 'lastRunId', entry.runId)
    end
  end
end
if plan.latenessMs then redis.call('HSET', key, 'latenessMs', whole(plan.latenessMs)) end
redis.call('ZREMRANGEBYRANK', ticksKey, 0, -plan.ledgerCount - 1)
redis.call('PEXPIRE', ticksKey, whole(plan.ledgerMs))
if plan.nextTickAt and not (plan.maxRuns and runs >= plan.maxRuns) then
  putTick(whole(plan.nextTickAt), whole(plan.nextDueAt))
else
  putTick('')
end
return cjson.encode({ made = made, cancelled = cancelled })
`;
