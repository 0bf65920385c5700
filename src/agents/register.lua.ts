import { preludeLua } from './prelude.lua.js';

/**
 * KEYS agents, record, places, cancels.
 * ARGV agentPrefix, agentId, instanceEpoch, host, port, capacity, description (JSON), leaseMs, forgetAfterMs, maxAgents,
 * identity (digest of the agent's key, or empty).
 * Replies `registered, now` · `foreign` · `stale, instanceEpoch on record` · `full, agents on record`.
 */
export const registerLua = `${preludeLua}
local agents, record, places, cancels = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, id, epoch = ARGV[1], ARGV[2], ARGV[3]
local leaseMs, forgetAfterMs, maxAgents = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local now = timeMs()

if isForeign(record, ARGV[11]) then return {'foreign'} end
local known = fieldsOf(record, 'instanceEpoch')[1]
if known and (tonumber(known) or 0) > tonumber(epoch) then return {'stale', known} end

local isBroken = redis.call('EXISTS', record) == 1 and not isSound(record)
if isBroken then redis.call('DEL', record) end
if not known and not isBroken then
  forgetGone(agents, prefix, now - forgetAfterMs, 100)
  -- Pods get a new name with each rollout: the longest gone makes room before anybody is refused.
  local excess = redis.call('ZCARD', agents) - maxAgents + 1
  if excess > 0 then forgetGone(agents, prefix, now, excess) end
  local count = redis.call('ZCARD', agents)
  if count >= maxAgents then return {'full', whole(count)} end
end

if known ~= epoch then
  -- A new process: what the old one held is gone, an order to drain was meant for the old one.
  redis.call('DEL', places, cancels)
end
if known ~= epoch or isBroken then
  redis.call('HSET', record, 'draining', '0', 'reportedInFlight', '0', 'suspectUntil', '0', 'recent', '')
  redis.call('HSETNX', record, 'ejections', '0')
  redis.call('HSETNX', record, 'ejectedAt', '0')
  -- The count of ejections stays, so that a process in a crash loop does not start with full trust each time.
  redis.call('HSET', record, 'returnPlaces', '1', 'returnSuccesses', '0')
end
redis.call('HSET', record, 'instanceEpoch', epoch, 'host', ARGV[4], 'port', ARGV[5], 'capacity', ARGV[6],
  'description', ARGV[7], 'lastSeenAt', whole(now), 'identity', ARGV[11])
redis.call('ZADD', agents, whole(now + leaseMs), id)
keepAtLeast(record, leaseMs + forgetAfterMs)
keepAtLeast(agents, leaseMs + forgetAfterMs)
return {'registered', whole(now)}
`;
