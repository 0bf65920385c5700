import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Hands out what is due, to one replica at a time: a claimed member is put off by the claim's length, so that it comes
 * back if this replica dies before it has dealt with it.
 * ARGV: prefix, how many at most, claimMs.
 * Returns {now, score of the next member or -1, member, score, member, score, …}.
 */
export const claimDueLua = `
${runKeyspaceLua}
local at = timeMs()
local due = redis.call('ZRANGEBYSCORE', dueKey, '-inf', at, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local putOff = {}
for i = 1, #due, 2 do
  putOff[i] = string.format('%.0f', at + ARGV[3])
  putOff[i + 1] = due[i]
end
if #putOff > 0 then redis.call('ZADD', dueKey, unpack(putOff)) end
local first = redis.call('ZRANGE', dueKey, 0, 0, 'WITHSCORES')
local reply = { at, first[2] and tonumber(first[2]) or -1 }
for i = 1, #due do reply[i + 2] = due[i] end
return reply
`;
