import { livesKeyspaceLua } from './lives-keyspace.lua.js';

/**
 * The latest lives of an instance, each with its last record, and all instances. ARGV: prefix, instance, how many lives.
 * Returns [instance, heard last, …] and [life, entry JSON, record JSON or '', …].
 */
export const readLivesLua = `
${livesKeyspaceLua}
local byId = {}
local ids = {}
local all = redis.call('HGETALL', livesKey(instance))
for at = 1, #all, 2 do
  ids[#ids + 1] = all[at]
  byId[all[at]] = all[at + 1]
end
table.sort(ids, function(a, b) return a > b end)
local lives = {}
for at = 1, math.min(#ids, tonumber(ARGV[3])) do
  local text = byId[ids[at]]
  local last = cjson.decode(text).last
  local found = last and redis.call('XRANGE', samplesKey(instance), last, last)[1]
  lives[#lives + 1] = ids[at]
  lives[#lives + 1] = text
  -- Of an entry the fields: life, its id, record, its JSON.
  lives[#lives + 1] = found and found[2][4] or ''
end
return { redis.call('ZREVRANGE', instancesKey, 0, -1, 'WITHSCORES'), lives }
`;
