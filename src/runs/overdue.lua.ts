import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * What is due and not claimed: nothing for longer than a moment, as long as some replica looks.
 * ARGV: prefix.
 * Returns {how many, ms since the first of them came due}.
 */
export const overdueLua = `
${runKeyspaceLua}
local at = timeMs()
local count = redis.call('ZCOUNT', dueKey, '-inf', at)
if count == 0 then return { 0, 0 } end
local first = redis.call('ZRANGE', dueKey, 0, 0, 'WITHSCORES')
return { count, math.floor(at - tonumber(first[2])) }
`;
