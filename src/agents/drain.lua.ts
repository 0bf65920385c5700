/** KEYS record. ARGV draining 0|1. Replies 1, or 0 when there is no such agent. */
export const drainLua = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'draining', ARGV[1])
return 1
`;
