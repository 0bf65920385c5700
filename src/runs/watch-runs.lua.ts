import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Puts off the look after runs that are under way at the caller, fenced: not of those that have ended or that somebody else has
 * begun since. ARGV: prefix, lookMs, then ns, runId, epoch of each. Returns how many were put off.
 */
export const watchRunsLua = `
${runKeyspaceLua}
local lookAt = now() + tonumber(ARGV[2])
local count = 0
for i = 3, #ARGV, 3 do
  local known = redis.call('HMGET', runKey(ARGV[i], ARGV[i + 1]), 'state', 'epoch')
  if known[1] == 'running' and known[2] == ARGV[i + 2] then
    redis.call('ZADD', dueKey, lookAt, runMember(ARGV[i], ARGV[i + 1]))
    count = count + 1
  end
end
return count
`;
