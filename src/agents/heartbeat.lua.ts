import { preludeLua } from './prelude.lua.js';

/**
 * KEYS agents, record, cancels. ARGV agentId, instanceEpoch, inFlight, leaseMs, forgetAfterMs, identity.
 * Replies `foreign` · `unknown` · `known, draining 0|1, runId to abort…`.
 */
export const heartbeatLua = `${preludeLua}
local agents, record, cancels = KEYS[1], KEYS[2], KEYS[3]
local leaseMs, forgetAfterMs = tonumber(ARGV[4]), tonumber(ARGV[5])
local now = timeMs()

if isForeign(record, ARGV[6]) then return {'foreign'} end
if fieldsOf(record, 'instanceEpoch')[1] ~= ARGV[2] or not isSound(record) then return {'unknown'} end
redis.call('HSET', record, 'lastSeenAt', whole(now), 'reportedInFlight', ARGV[3])
redis.call('ZADD', agents, whole(now + leaseMs), ARGV[1])
keepAtLeast(record, leaseMs + forgetAfterMs)
keepAtLeast(agents, leaseMs + forgetAfterMs)

redis.call('ZREMRANGEBYSCORE', cancels, '-inf', whole(now))
local reply = {'known', redis.call('HGET', record, 'draining')}
for _, runId in ipairs(redis.call('ZRANGE', cancels, 0, -1)) do reply[#reply + 1] = runId end
return reply
`;
