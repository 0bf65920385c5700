import { preludeLua } from './prelude.lua.js';

/**
 * KEYS agents. ARGV agentPrefix, forgetAfterMs. Forgets agents that were down for too long.
 * Replies `now` and then, of an agent whose record is no hash its id alone, and for each agent `agentId, lease expiry, places taken, instanceEpoch, host, port, capacity,
 * description, lastSeenAt, draining, reportedInFlight, suspectUntil, ejectedAt, ejections`.
 */
export const snapshotLua = `${preludeLua}
local agents, prefix = KEYS[1], ARGV[1]
local now = timeMs()
forgetGone(agents, prefix, now - tonumber(ARGV[2]), 100)

local reply = {whole(now)}
local entries = redis.call('ZRANGE', agents, 0, -1, 'WITHSCORES')
for i = 1, #entries, 2 do
  local id = entries[i]
  local record = prefix .. ':' .. id
  local fields = redis.pcall('HMGET', record, 'instanceEpoch', 'host', 'port', 'capacity', 'description', 'lastSeenAt',
    'draining', 'reportedInFlight', 'suspectUntil', 'ejectedAt', 'ejections')
  if fields.err then
    reply[#reply + 1] = {id}
  elseif fields[1] then
    local taken = redis.call('ZCOUNT', placesKey(record), '(' .. whole(now), '+inf')
    reply[#reply + 1] = {id, entries[i + 1], whole(taken), unpack(fields)}
  else
    redis.call('ZREM', agents, id)
  end
end
return reply
`;
