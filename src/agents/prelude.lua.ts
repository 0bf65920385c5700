/**
 * Shared head of the scripts about agents, and of those about runs and schedules (run-keyspace.lua.ts): time, numbers as text, broken records,
 * names of one agent's keys as AgentKeys has them, whose it is, forgetting.
 */
export const preludeLua = `
-- A script happens in one instant: what ends in it has ended when the next thing in it begins.
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

-- Fields of a hash. What is no hash has none of them: a broken record holds back no other.
local function fieldsOf(key, ...)
  local fields = redis.pcall('HMGET', key, ...)
  return fields.err and {} or fields
end

local function agentRecordKey(keyspace, ns, id) return keyspace .. ':agent:' .. ns .. ':' .. id end
local function placesKey(record) return record .. ':places' end

-- Whether an agent was registered with a key, and this is not its digest.
local function isForeign(record, identity)
  local own = fieldsOf(record, 'identity')[1]
  return own and own ~= '' and own ~= identity
end

local function holdsTexts(list, keyType)
  if type(list) ~= 'table' then return false end
  for key, text in pairs(list) do
    if type(key) ~= keyType or type(text) ~= 'string' then return false end
  end
  return true
end

-- Whether what an agent registered with, and what is counted of it, can be read. One that cannot must register anew.
local function isSound(record)
  local f = fieldsOf(
    record, 'host', 'description', 'instanceEpoch', 'port', 'capacity', 'lastSeenAt', 'suspectUntil', 'ejectedAt', 'ejections', 'returnPlaces',
    'returnSuccesses'
  )
  for i = 3, 11 do
    if not string.match(f[i] or '', '^%d+$') then return false end
  end
  local fine, description = pcall(cjson.decode, f[2] or '')
  return f[1] and fine and type(description) == 'table' and holdsTexts(description.labels, 'string')
    and holdsTexts(description.capabilities, 'number') and type(description.version) == 'string'
end

local function forgetAgent(agentsKey, prefix, id)
  local record = prefix .. ':' .. id
  redis.call('DEL', record, placesKey(record), record .. ':outcomes', record .. ':cancels')
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
