/** Shared head of the agent scripts: time, names of one agent's keys, whose it is, forgetting. */
export const preludeLua = `
-- A script happens in one instant.
local instantMs
local function timeMs()
  if not instantMs then
    local t = redis.call('TIME')
    instantMs = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  end
  return instantMs
end

-- Printing a number is dear, and a script that makes fifty runs writes the same few instants.
local wholes = {}
local function whole(number)
  local text = wholes[number]
  if not text then
    text = string.format('%.0f', number)
    wholes[number] = text
  end
  return text
end

-- Whether an agent was registered with a key, and this is not its digest.
local function isForeign(record, identity)
  local own = redis.call('HGET', record, 'identity')
  return own and own ~= '' and own ~= identity
end

local function forgetAgent(agentsKey, prefix, id)
  local record = prefix .. ':' .. id
  redis.call('DEL', record, record .. ':places', record .. ':outcomes', record .. ':cancels')
  redis.call('ZREM', agentsKey, id)
end

-- At most 'limit' agents whose lease ran out at or before 'untilMs', longest gone first.
local function forgetGone(agentsKey, prefix, untilMs, limit)
  local gone = redis.call('ZRANGEBYSCORE', agentsKey, '-inf', whole(untilMs), 'LIMIT', 0, limit)
  for _, id in ipairs(gone) do forgetAgent(agentsKey, prefix, id) end
end

-- Never shortens: a place taken for an hour outlives one taken for a second.
local function keepAtLeast(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end
`;
