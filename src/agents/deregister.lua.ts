import { preludeLua } from './prelude.lua.js';

/** KEYS agents, record. ARGV agentPrefix, agentId, instanceEpoch. Replies 1 when the agent was removed, else 0. */
export const deregisterLua = `${preludeLua}
-- Only the process on record may go: a straggler must not remove the one that replaced it.
if redis.call('HGET', KEYS[2], 'instanceEpoch') ~= ARGV[3] then return 0 end
forgetAgent(KEYS[1], ARGV[1], ARGV[2])
return 1
`;
