import { createRunLua } from '../runs/create-run.lua.js';
import { scheduleKeyspaceLua } from './schedule-keyspace.lua.js';

/**
 * Reads a schedule and the time together. ARGV: prefix, ns, id.
 * Returns {now, field, value, field, value, …}.
 */
export const readScheduleLua = `
${scheduleKeyspaceLua}
local reply = redis.call('HGETALL', key)
table.insert(reply, 1, now())
return reply
`;

/**
 * Stores a declaration if the record still is at the version that the caller read (0: not there).
 * ARGV: prefix, ns, id, version read, spec, '1' to set the tick, nextTickAt or '', dueAt, how many schedules at most.
 * Returns {new version, createdAt, now}; {-1} when the version is another; {-2} when there are too many.
 */
export const writeScheduleLua = `
${scheduleKeyspaceLua}
local version = tonumber(redis.call('HGET', key, 'version') or 0)
if version ~= tonumber(ARGV[4]) then return { -1 } end
local at = now()
if version == 0 then
  if redis.call('ZCARD', indexKey) >= tonumber(ARGV[9]) then return { -2 } end
  redis.call('HSET', key, 'createdAt', at)
  redis.call('ZADD', indexKey, 0, id)
end
redis.call('HSET', key, 'spec', ARGV[5], 'version', version + 1, 'updatedAt', at)
if ARGV[6] == '1' then putTick(ARGV[7], ARGV[8]) end
return { version + 1, tonumber(redis.call('HGET', key, 'createdAt')), at }
`;

/** Removes a schedule; the runs it made stay. ARGV: prefix, ns, id. Returns 1, or 0 when there is none. */
export const removeScheduleLua = `
${scheduleKeyspaceLua}
redis.call('ZREM', dueKey, member)
redis.call('ZREM', indexKey, id)
return redis.call('DEL', key)
`;

/** Takes a leftover out of the due index: a schedule that is gone, paused or ended. ARGV: prefix, ns, id. */
export const dropLeftoverLua = `
${scheduleKeyspaceLua}
if redis.call('HEXISTS', key, 'nextTickAt') == 0 then redis.call('ZREM', dueKey, member) end
return 1
`;

/**
 * Fires ticks: makes their runs and moves the schedule on, in one step, if nobody did so since the caller read it.
 * The id of a run is made of schedule and due time, so a tick has one run whoever fires it.
 * ARGV: prefix, ns, id, version read, nextTickAt read, new nextTickAt or '', dueAt of it, latenessMs or '', run spec,
 * outboxMs, then tickAt and runId of each.
 * Returns the ids of the runs that it made, or false when somebody else was faster.
 */
export const fireTicksLua = `
${scheduleKeyspaceLua}
${createRunLua}
local known = redis.call('HMGET', key, 'version', 'nextTickAt')
if known[1] ~= ARGV[4] or known[2] ~= ARGV[5] then return false end
local at = now()
local made = {}
local last
for i = 11, #ARGV, 2 do
  if createRun(ns, ARGV[i + 1], id, ARGV[i], ARGV[9], at, tonumber(ARGV[10]), 0) == 1 then made[#made + 1] = ARGV[i + 1] end
  last = i
end
if last then
  redis.call('HSET', key, 'lastTickAt', ARGV[last], 'lastRunId', ARGV[last + 1])
  redis.call('HINCRBY', key, 'firedCount', (#ARGV - 10) / 2)
  if ARGV[8] ~= '' then redis.call('HSET', key, 'latenessMs', ARGV[8]) end
end
putTick(ARGV[6], ARGV[7])
return made
`;
