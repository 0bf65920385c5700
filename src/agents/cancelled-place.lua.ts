/**
 * Lua functions about the place at an agent of a dispatch that was cancelled. Its replica gives it back when the agent has let go of the job,
 * and holds it until then: `holdPlace(ns, agentId, runId, epoch, untilMs)`. Should that replica be dead, the place falls back soon:
 * `leavePlace(ns, agentId, runId, epoch, untilMs)`. Neither takes a place that was given back. Behind
 * prelude.lua.ts and `prefix`, the start of all keys.
 */
export const cancelledPlaceLua = `
local function leavePlace(ns, agentId, runId, epoch, untilMs)
  redis.call('ZADD', placesKey(agentRecordKey(prefix, ns, agentId)), 'XX', 'LT', untilMs, runId .. '#' .. epoch)
end
local function holdPlace(ns, agentId, runId, epoch, untilMs)
  redis.call('ZADD', placesKey(agentRecordKey(prefix, ns, agentId)), 'XX', 'GT', untilMs, runId .. '#' .. epoch)
end
`;
