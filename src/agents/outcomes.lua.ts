/** KEYS the outcome lists of some agents. Replies the list of each. */
export const outcomesLua = `
local reply = {}
for i, key in ipairs(KEYS) do reply[i] = redis.call('LRANGE', key, 0, -1) end
return reply
`;
