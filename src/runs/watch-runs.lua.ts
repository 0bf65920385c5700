import { cancelledPlaceLua } from '../agents/cancelled-place.lua.js';
import { runKeyspaceLua } from './run-keyspace.lua.js';

/**
 * Puts off the look after runs that are under way at the caller, fenced: not of those that have ended or that somebody else has
 * begun since. Of those that were cancelled the place at the agent is held, as long as the caller waits for the agent to let go. ARGV: prefix, lookMs, then ns, runId, epoch of each. Returns how many were put off.
 */
export const watchRunsLua = `
${runKeyspaceLua}
${cancelledPlaceLua}
local lookAt = timeMs() + tonumber(ARGV[2])
local count = 0
for i = 3, #ARGV, 3 do
  local known = fieldsOf(runKey(ARGV[i], ARGV[i + 1]), 'state', 'epoch', 'agentId')
  if known[1] == 'running' and known[2] == ARGV[i + 2] then
    redis.call('ZADD', dueKey, lookAt, runMember(ARGV[i], ARGV[i + 1]))
    count = count + 1
  elseif known[1] == 'cancelled' and known[3] then
    holdPlace(ARGV[i], known[3], ARGV[i + 1], ARGV[i + 2], lookAt)
  end
end
return count
`;
