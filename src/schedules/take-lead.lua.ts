import { runKeyspaceLua } from '../runs/run-keyspace.lua.js';

/**
 * Takes or keeps the lead. ARGV: prefix, who asks, leaseMs. Returns the term when it leads, else 0. Each change of leader is a new
 * term, and what a leader writes names its term: one that was frozen and believes to lead changes nothing.
 */
export const takeLeadLua = `
local prefix = ARGV[1]
local leader = redis.call('GET', prefix .. ':leader')
if leader and leader ~= ARGV[2] then return 0 end
redis.call('SET', prefix .. ':leader', ARGV[2], 'PX', ARGV[3])
local term = redis.call('GET', prefix .. ':leader-term')
-- Without its term, which may get lost alone, a leader would keep the lead and do nothing.
if not leader or not term then return redis.call('INCR', prefix .. ':leader-term') end
return tonumber(term)
`;

/** Gives the lead back. ARGV: prefix, who had it. */
export const leaveLeadLua = `
if redis.call('GET', ARGV[1] .. ':leader') == ARGV[2] then redis.call('DEL', ARGV[1] .. ':leader') end
return 1
`;

/**
 * Puts back what is missing from the due index: runs that have not ended and schedules with a next tick. What waits for its time comes due then.
 * ARGV: prefix, term, ns, 'r' or 's', ids. Returns how many it put back, or -1 when the term is over, and how many of the runs have not ended.
 */
export const repairDueLua = `
${runKeyspaceLua}
if redis.call('GET', prefix .. ':leader-term') ~= ARGV[2] then return { -1, 0 } end
local ns, kind = ARGV[3], ARGV[4]
local at = timeMs()
local repaired, open = 0, 0
-- What is no instant is due at once.
for i = 5, #ARGV do
  local member = kind .. '|' .. ns .. '|' .. ARGV[i]
  if kind == 'r' then
    local known = fieldsOf(runKey(ns, ARGV[i]), 'state', 'dueAt')
    if known[1] and not isFinal(known[1]) then
      open = open + 1
      repaired = repaired + redis.call('ZADD', dueKey, 'NX', tonumber(known[2]) or at, member)
    end
  else
    local known = fieldsOf(prefix .. ':schedule:' .. ns .. ':' .. ARGV[i], 'nextTickAt', 'nextDueAt', 'pausedAt')
    if known[1] and not known[3] then
      repaired = repaired + redis.call('ZADD', dueKey, 'NX', tonumber(known[2] or known[1]) or at, member)
    end
  end
end
return { repaired, open }
`;
