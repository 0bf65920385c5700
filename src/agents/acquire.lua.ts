import { preludeLua } from './prelude.lua.js';

/** Where the place is looked for, as the Lua function takes it. */
export interface PlaceQuery {
  /** Keys: agents of the namespace, turns taken, what records of agents begin with. */
  agents: string;
  turns: string;
  prefix: string;
  /** `runId#epoch`. */
  place: string;
  leaseMs: number;
  order: 'given' | 'rotated' | 'least-loaded';
  bucket: string;
  /** Places for an agent that is tried although it is ejected. */
  returnPlaces: number;
  /** tier, agentId, tier, agentId, …; lower tiers first; tier 4 and 5 may be tried although they are ejected. */
  candidates: (string | number)[];
}

/**
 * Lua function `acquirePlace(query)`, see {@link PlaceQuery}: takes a place at the first candidate that has one. What it reads of an agent it keeps
 * for the rest of the script: one that places fifty runs reads each agent once. `givePlaceBack(query, agentId, place)` frees one; whoever frees one by
 * other means says so by `inspectAnew(record)`. Behind prelude.lua.ts.
 * Returns `taken, agentId, host, port, instanceEpoch, now` · `none, agentId, reason, agentId, reason…`.
 */
export const acquirePlaceLua = `
local inspected, tended = {}, {}

-- Once a script is enough, unless it must live longer than then.
local function keepOnceAtLeast(key, ms)
  if tended[key] and tended[key] >= ms then return end
  tended[key] = ms
  keepAtLeast(key, ms)
end

-- Places of an agent were given back: who asks next looks at it anew.
local function inspectAnew(record)
  inspected[record] = nil
end

local function givePlaceBack(query, id, place)
  local record = query.prefix .. ':' .. id
  redis.call('ZREM', placesKey(record), place)
  inspectAnew(record)
end

-- The load (0 to below 1) and address of an agent with a free place, or nil and the reason why it has none.
local function inspectAgent(query, id, mayBeEjected, now)
  local record = query.prefix .. ':' .. id
  local agent = inspected[record]
  if not agent then
    agent = { lease = redis.call('ZSCORE', query.agents, id) }
    if agent.lease and tonumber(agent.lease) > now then
      agent.fields = fieldsOf(record, 'capacity', 'draining', 'suspectUntil', 'ejections', 'returnPlaces', 'host', 'port', 'instanceEpoch')
      agent.taken = redis.call('ZCOUNT', placesKey(record), '(' .. whole(now), '+inf')
    end
    inspected[record] = agent
  end
  if not agent.lease then return nil, 'gone' end
  local f, taken = agent.fields, agent.taken
  if not f then return nil, 'down' end
  local limit, suspectUntil, ejections, why = tonumber(f[1]), tonumber(f[3]), tonumber(f[4]), 'full'
  if not (f[8] and limit and suspectUntil and ejections) then return nil, 'gone' end
  if f[2] == '1' then return nil, 'draining' end
  if suspectUntil > now then
    if not mayBeEjected then return nil, 'suspect' end
    limit, why = math.min(limit, query.returnPlaces), 'suspect, and being tried'
  elseif ejections > 0 and tonumber(f[5]) < limit then
    limit, why = tonumber(f[5]), 'coming back after ejection, all places given for now taken'
  end
  if taken >= limit then
    -- Whoever asks again because it did not hear the answer has its place already.
    local own = redis.call('ZSCORE', placesKey(record), query.place)
    if not own or tonumber(own) <= now then return nil, why end
  end
  return taken / limit, {f[6], f[7], f[8]}
end

local function takePlace(query, id, address, now)
  local record = query.prefix .. ':' .. id
  local agent, places = inspected[record], placesKey(record)
  if not tended[places] then redis.call('ZREMRANGEBYSCORE', places, '-inf', whole(now)) end
  agent.taken = agent.taken + redis.call('ZADD', places, whole(now + query.leaseMs), query.place)
  keepOnceAtLeast(places, query.leaseMs)
  return {'taken', id, address[1], address[2], address[3], whole(now)}
end

local function acquirePlace(query)
  local candidates, order = query.candidates, query.order
  local count = #candidates / 2
  local now = timeMs()
  local turn = 0
  if order ~= 'given' then
    turn = redis.call('HINCRBY', query.turns, query.bucket, 1) - 1
    keepOnceAtLeast(query.turns, 86400000)
  end
  local function tierOf(i) return candidates[i * 2 - 1] end

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
      local id = candidates[i * 2]
      local load, found = inspectAgent(query, id, tier >= 4, now)
      if not load then
        reply[#reply + 1] = id
        reply[#reply + 1] = found
      elseif order ~= 'least-loaded' then
        return takePlace(query, id, found, now)
      elseif not bestLoad or load < bestLoad then
        bestId, bestLoad, bestAddress = id, load, found
        -- Nobody has less, and of those that have as little the first in turn is taken: the others need not be looked at.
        if load == 0 then break end
      end
    end
    if bestId then return takePlace(query, bestId, bestAddress, now) end
    from = to + 1
  end
  return reply
end
`;

/** Takes a place. KEYS agents. ARGV JSON of a {@link PlaceQuery}. Replies as {@link acquirePlaceLua} says. */
export const acquireLua = `${preludeLua}${acquirePlaceLua}
return acquirePlace(cjson.decode(ARGV[1]))
`;
