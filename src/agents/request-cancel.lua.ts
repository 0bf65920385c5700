import { preludeLua } from './prelude.lua.js';

/** KEYS record, cancels. ARGV runId, repeatForMs, kept. Replies 1, or 0 when there is no such agent. */
export const requestCancelLua = `${preludeLua}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local now, repeatForMs = timeMs(), tonumber(ARGV[2])
redis.call('ZADD', KEYS[2], whole(now + repeatForMs), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -(tonumber(ARGV[3]) + 1))
keepAtLeast(KEYS[2], repeatForMs)
return 1
`;
