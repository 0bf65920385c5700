import { preludeLua } from '../agents/prelude.lua.js';

/**
 * Lua shared by every script that touches runs, behind what those about agents share. ARGV[1] is the key prefix (`{keyspace}`); all keys carry it, so they
 * share one hash slot and a script may build the names of those it needs.
 *
 * Invariant: a run that has not ended has a member `r|namespace|runId` in the due index. Whatever is lost (an engine job,
 * a replica between two steps), the member comes due and the run goes on.
 */
export const runKeyspaceLua = `${preludeLua}
local prefix = ARGV[1]
local dueKey = prefix .. ':due'
local function runKey(ns, runId) return prefix .. ':run:' .. ns .. ':' .. runId end
local function runMember(ns, runId) return 'r|' .. ns .. '|' .. runId end
-- Runs of a schedule that have begun to count against its overlap policy, and the one that waits behind them.
local function openKey(ns, scheduleId) return prefix .. ':open-of:' .. ns .. ':' .. scheduleId end
local function bufferKey(ns, scheduleId) return prefix .. ':buffered-of:' .. ns .. ':' .. scheduleId end
-- Runs of a schedule, and those of them that have ended: its lists. Both are bounded while it is there; with it they go once none of its runs is open.
local function runsOfKey(ns, scheduleId) return prefix .. ':runs-of:' .. ns .. ':' .. scheduleId end
local function endedOfKey(ns, scheduleId) return prefix .. ':ended-of:' .. ns .. ':' .. scheduleId end
local function leaveLists(ns, scheduleId, keepMs)
  if redis.call('EXISTS', prefix .. ':schedule:' .. ns .. ':' .. scheduleId) == 1 then return end
  if redis.call('EXISTS', openKey(ns, scheduleId), bufferKey(ns, scheduleId)) > 0 then return end
  redis.call('PEXPIRE', runsOfKey(ns, scheduleId), keepMs)
  redis.call('PEXPIRE', endedOfKey(ns, scheduleId), keepMs)
end
local function isFinal(state)
  return state == 'succeeded' or state == 'failed' or state == 'cancelled' or state == 'timed-out'
end
`;
