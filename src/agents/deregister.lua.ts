import { preludeLua } from './prelude.lua.js';

/**
 * KEYS agents, record. ARGV agentPrefix, agentId, instanceEpoch, identity. Replies 1 when the agent was removed, -1 when it
 * is somebody else's, else 0.
 */
export const deregisterLua = `${preludeLua}
if isForeign(KEYS[2], ARGV[4]) then return -1 end
-- Only the process on record may go: a straggler must not remove the one that replaced it.
if fieldsOf(KEYS[2], 'instanceEpoch')[1] ~= ARGV[3] then return 0 end
forgetAgent(KEYS[1], ARGV[1], ARGV[2])
return 1
`;
