import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Says what comes due soon, if it is a crowd; changes nothing.
 * ARGV: prefix, how far to look in ms, how many are a crowd, how many to list at most.
 * Returns {member, when it is due, member, when it is due, …}.
 */
export const dueOutlookLua = `
${runKeyspaceLua}
local from = timeMs()
local to = from + tonumber(ARGV[2])
if redis.call('ZCOUNT', dueKey, from, to) < tonumber(ARGV[3]) then return {} end
return redis.call('ZRANGEBYSCORE', dueKey, from, to, 'WITHSCORES', 'LIMIT', 0, ARGV[4])
`;
