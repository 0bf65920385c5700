/**
 * Lua shared by every script that touches runs. ARGV[1] is the key prefix (`{keyspace}`); all keys carry it, so they
 * share one hash slot and a script may build the names of those it needs.
 *
 * Invariant: a run that has not ended has a member `r|namespace|runId` in the due index. Whatever is lost (an engine job,
 * a replica between two steps), the member comes due and the run goes on.
 */
export const runKeyspaceLua = `
local prefix = ARGV[1]
local dueKey = prefix .. ':due'
-- A script happens in one instant: what ends in it has ended when the next thing in it begins.
local nowMs
local function now()
  if not nowMs then
    local t = redis.call('TIME')
    nowMs = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return nowMs
end
local function runKey(ns, runId) return prefix .. ':run:' .. ns .. ':' .. runId end
local function runMember(ns, runId) return 'r|' .. ns .. '|' .. runId end
-- Runs of a schedule that have begun to count against its overlap policy, and the one that waits behind them.
local function openKey(ns, scheduleId) return prefix .. ':open-of:' .. ns .. ':' .. scheduleId end
local function bufferKey(ns, scheduleId) return prefix .. ':buffered-of:' .. ns .. ':' .. scheduleId end
local function isFinal(state)
  return state == 'succeeded' or state == 'failed' or state == 'cancelled' or state == 'timed-out'
end
`;
