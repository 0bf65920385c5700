import { preludeLua } from './prelude.lua.js';

/**
 * Takes a place at the first candidate that has one.
 * KEYS agents, turns. ARGV agentPrefix, place (`runId#epoch`), leaseMs, order (`given` | `rotated` | `least-loaded`),
 * route bucket, places for ejected agents, and then for each candidate: tier, agentId. Candidates of a lower tier come
 * first; tier 4 and 5 may be tried although they are ejected.
 * Replies `taken, agentId, host, port, instanceEpoch, now` · `none, agentId, reason, agentId, reason…`.
 */
export const acquireLua = `${preludeLua}
local agents, turns = KEYS[1], KEYS[2]
local prefix, place, leaseMs, order = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local FIRST, STRIDE = 7, 2
local now = timeMs()
local count = (#ARGV - FIRST + 1) / STRIDE

local function tierOf(i) return tonumber(ARGV[FIRST + (i - 1) * STRIDE]) end
local function idOf(i) return ARGV[FIRST + (i - 1) * STRIDE + 1] end

-- The load (0 to below 1) and address of an agent with a free place, or nil and the reason why it has none.
local function inspect(id, mayBeEjected)
  local lease = redis.call('ZSCORE', agents, id)
  if not lease then return nil, 'gone' end
  if tonumber(lease) <= now then return nil, 'down' end
  local record = prefix .. ':' .. id
  local f = redis.call('HMGET', record, 'capacity', 'draining', 'suspectUntil', 'ejections', 'returnPlaces', 'host', 'port', 'instanceEpoch')
  if not f[8] then return nil, 'gone' end
  if f[2] == '1' then return nil, 'draining' end
  local limit, why = tonumber(f[1]), 'full'
  if tonumber(f[3]) > now then
    if not mayBeEjected then return nil, 'suspect' end
    limit, why = math.min(limit, tonumber(ARGV[6])), 'suspect, and being tried'
  elseif tonumber(f[4]) > 0 and tonumber(f[5]) < limit then
    limit, why = tonumber(f[5]), 'coming back after ejection, all places given for now taken'
  end
  local taken = redis.call('ZCOUNT', record .. ':places', '(' .. whole(now), '+inf')
  if taken >= limit then
    -- Whoever asks again because it did not hear the answer has its place already.
    local own = redis.call('ZSCORE', record .. ':places', place)
    if not own or tonumber(own) <= now then return nil, why end
  end
  return taken / limit, {f[6], f[7], f[8]}
end

local function take(id, address)
  local places = prefix .. ':' .. id .. ':places'
  redis.call('ZREMRANGEBYSCORE', places, '-inf', whole(now))
  redis.call('ZADD', places, whole(now + leaseMs), place)
  keepAtLeast(places, leaseMs)
  return {'taken', id, address[1], address[2], address[3], whole(now)}
end

local turn = 0
if order ~= 'given' then
  turn = redis.call('HINCRBY', turns, ARGV[5], 1) - 1
  keepAtLeast(turns, 86400000)
end

local reply = {'none'}
local from = 1
while from <= count do
  local tier = tierOf(from)
  local to = from
  while to < count and tierOf(to + 1) == tier do to = to + 1 end
  local size = to - from + 1
  local bestId, bestLoad, bestAddress
  for k = 0, size - 1 do
    local i = from + (order == 'given' and k or (k + turn) % size)
    local load, found = inspect(idOf(i), tier >= 4)
    if not load then
      reply[#reply + 1] = idOf(i)
      reply[#reply + 1] = found
    elseif order ~= 'least-loaded' then
      return take(idOf(i), found)
    elseif not bestLoad or load < bestLoad then
      bestId, bestLoad, bestAddress = idOf(i), load, found
    end
  end
  if bestId then return take(bestId, bestAddress) end
  from = to + 1
end
return reply
`;
