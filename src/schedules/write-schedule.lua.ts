import { scheduleKeyspaceLua } from './schedule-keyspace.lua.js';

/**
 * Reads schedules and the time together. ARGV: prefix, ns, id, ns, id, ….
 * Returns {now, {field, value, …}, {field, value, …}, …}, in the order asked for; a text in place of what is no hash.
 */
export const readSchedulesLua = `
${scheduleKeyspaceLua}
local reply = { timeMs() }
for i = 2, #ARGV, 2 do
  about(ARGV[i], ARGV[i + 1])
  local fields = redis.pcall('HGETALL', key)
  reply[#reply + 1] = fields.err or fields
end
return reply
`;

/**
 * Stores a declaration if the record still is at the version that the caller read (0: not there).
 * ARGV: prefix, ns, id, version read, spec, '1' to set the tick, nextTickAt or '', dueAt, how many schedules at most,
 * owner or ''.
 * Returns {new version, createdAt, now}; {-1} when the version is another, or a tick that is to be replaced has come meanwhile; {-2} when there are too many.
 */
export const writeScheduleLua = `
${scheduleKeyspaceLua}
local version = tonumber(redis.call('HGET', key, 'version') or 0)
if version ~= tonumber(ARGV[4]) then return { -1 } end
local at = timeMs()
if ARGV[6] == '1' then
  local pending = redis.call('HGET', key, 'nextTickAt')
  if pending and tonumber(pending) <= at then return { -1 } end
end
if version == 0 then
  if redis.call('ZCARD', indexKey) >= tonumber(ARGV[9]) then return { -2 } end
  redis.call('HSET', key, 'createdAt', at)
  redis.call('ZADD', indexKey, 0, id)
  redis.call('SADD', prefix .. ':namespaces', ns)
  -- Those of one that was removed under this id were left to expire.
  redis.call('PERSIST', runsOfKey(ns, id))
  redis.call('PERSIST', endedOfKey(ns, id))
end
redis.call('HSET', key, 'spec', ARGV[5], 'version', version + 1, 'updatedAt', at)
if ARGV[10] ~= '' then redis.call('HSET', key, 'owner', ARGV[10]) end
if ARGV[6] == '1' then putTick(ARGV[7], ARGV[8]) end
return { version + 1, tonumber(redis.call('HGET', key, 'createdAt')), at }
`;

/**
 * Stores a declaration in place of a record that cannot be read, if that still is as the caller read it.
 * ARGV: prefix, ns, id, spec read or '', version read or '', spec, nextTickAt or '', dueAt, then fields and values that are kept.
 * Returns {new version, createdAt, now}; {-1} when the record is another, or gone. The tick ledger goes with a version that cannot be read: its entries name it.
 */
export const repairScheduleLua = `
${scheduleKeyspaceLua}
local kind = redis.call('TYPE', key).ok
if kind == 'none' then return { -1 } end
local known = kind == 'hash' and redis.call('HMGET', key, 'spec', 'version') or {}
if (known[1] or '') ~= ARGV[4] or (known[2] or '') ~= ARGV[5] then return { -1 } end
local at = timeMs()
redis.call('DEL', key)
for i = 9, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
redis.call('HSETNX', key, 'createdAt', at)
if redis.call('HINCRBY', key, 'version', 1) == 1 then redis.call('DEL', ticksKey) end
redis.call('HSET', key, 'spec', ARGV[6], 'updatedAt', at)
redis.call('ZADD', indexKey, 0, id)
redis.call('SADD', prefix .. ':namespaces', ns)
putTick(ARGV[7], ARGV[8])
local stored = redis.call('HMGET', key, 'version', 'createdAt')
return { tonumber(stored[1]), tonumber(stored[2]), at }
`;

/** Removes a schedule; the runs it made stay as long as others. ARGV: prefix, ns, id, how many ms that is. Returns 1, or 0 when there is none. */
export const removeScheduleLua = `
${scheduleKeyspaceLua}
redis.call('ZREM', dueKey, member)
redis.call('ZREM', indexKey, id)
redis.call('DEL', ticksKey)
local removed = redis.call('DEL', key)
leaveLists(ns, id, ARGV[4])
return removed
`;

/**
 * Pauses a schedule: its pending tick is kept, but is not due. ARGV: prefix, ns, id, reason or ''.
 * Returns 1, or 0 when there is none. A second pause only changes the reason.
 */
export const pauseScheduleLua = `
${scheduleKeyspaceLua}
if redis.call('EXISTS', key) == 0 then return 0 end
redis.call('HSETNX', key, 'pausedAt', timeMs())
if ARGV[4] ~= '' then redis.call('HSET', key, 'pausedReason', ARGV[4]) else redis.call('HDEL', key, 'pausedReason') end
redis.call('ZREM', dueKey, member)
return 1
`;

/**
 * Ends a pause. The pending tick is due again; what fell into the pause is caught up by the misfire policy, or skipped.
 * ARGV: prefix, ns, id, '1' to catch up. Returns {1, when it is due or -1}, {0} when there is none.
 */
export const resumeScheduleLua = `
${scheduleKeyspaceLua}
if redis.call('EXISTS', key) == 0 then return { 0 } end
local paused = redis.call('HDEL', key, 'pausedAt')
redis.call('HDEL', key, 'pausedReason')
if paused == 1 and ARGV[4] ~= '1' then redis.call('HSET', key, 'skipUntil', timeMs()) end
local dueAt = redis.call('HGET', key, 'nextDueAt')
if redis.call('HEXISTS', key, 'nextTickAt') == 0 then return { 1, -1 } end
redis.call('ZADD', dueKey, dueAt, member)
return { 1, tonumber(dueAt) }
`;

/** Takes a leftover out of the due index: a schedule that is gone, paused or ended. ARGV: prefix, ns, id. */
export const dropLeftoverLua = `
${scheduleKeyspaceLua}
if redis.call('HEXISTS', key, 'nextTickAt') == 0 or redis.call('HEXISTS', key, 'pausedAt') == 1 then
  redis.call('ZREM', dueKey, member)
end
return 1
`;
