import { eachItemLua } from '../redis/gathered-script.js';
import { preludeLua } from './prelude.lua.js';

/** A place to give back, as the script takes it. */
export interface ReleasedPlace {
  /** Keys of the namespace and of the agent. */
  agents: string;
  prefix: string;
  record: string;
  places: string;
  outcomes: string;
  cancels: string;
  agentId: string;
  /** `runId#epoch`. */
  place: string;
  runId: string;
  instanceEpoch: string;
  takenAt: number;
  /** '' when the outcome does not count. */
  letter: string;
  durationMs: number;
}

/**
 * Gives places back and lets their outcomes count.
 * ARGV prefix, JSON of {@link ReleasedPlace}s, kept outcomes, outcomes' lifetime ms, then the rules of agent-health.ts.
 * Replies for each `released` · `ejected, ms` · `spared` (would be ejected, but too many are) · `recovered`.
 */
export const releaseLua = `${preludeLua}
local keptOutcomes, outcomesMs = tonumber(ARGV[3]), tonumber(ARGV[4])
local maxConsecutive, window, minOutcomes, errorShare = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local baseMs, maxMs, firstPlaces, recoverySuccesses = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local now = timeMs()

local function each(item)
  local agents, record, places, outcomes, cancels = item.agents, item.record, item.places, item.outcomes, item.cancels
  local prefix, id, letter, takenAt = item.prefix, item.agentId, item.letter, item.takenAt

  local held = redis.call('ZREM', places, item.place)
  redis.call('ZREM', cancels, item.runId)
  -- A place that is not held any more was counted before, or belongs to a process that is gone.
  if held == 0 or letter == '' then return {'released'} end
  local f = redis.call('HMGET', record, 'instanceEpoch', 'suspectUntil', 'ejectedAt', 'ejections', 'recent', 'returnPlaces', 'returnSuccesses')
  if f[1] ~= item.instanceEpoch then return {'released'} end

  redis.call('LPUSH', outcomes, letter .. ':' .. whole(item.durationMs))
  redis.call('LTRIM', outcomes, 0, keptOutcomes - 1)
  keepAtLeast(outcomes, outcomesMs)

  local suspectUntil, ejectedAt, ejections = tonumber(f[2]), tonumber(f[3]), tonumber(f[4])
  -- What began before the last ejection belongs to the incident that caused it and must not eject twice.
  if takenAt <= ejectedAt then return {'released'} end

  if suspectUntil > now then
    if letter == 'a' then
      -- Tried although ejected, and still broken: the next try goes to another one.
      redis.call('HSET', record, 'ejectedAt', whole(now))
      return {'released'}
    end
    redis.call('HSET', record, 'suspectUntil', '0', 'recent', '', 'returnPlaces', whole(firstPlaces * 2), 'returnSuccesses', '1')
    return {'released'}
  end

  local recent = string.sub((f[5] or '') .. (letter == 'a' and '-' or '+'), -window)
  if letter ~= 'a' then
    local changes = {'recent', recent}
    local recovered = false
    if ejections > 0 then
      local successes = tonumber(f[7]) + 1
      recovered = successes >= recoverySuccesses
      changes[#changes + 1] = 'returnPlaces'
      changes[#changes + 1] = whole(math.min(tonumber(f[6]) * 2, 1000000))
      changes[#changes + 1] = 'returnSuccesses'
      changes[#changes + 1] = whole(successes)
      if recovered then
        changes[#changes + 1] = 'ejections'
        changes[#changes + 1] = '0'
      end
    end
    redis.call('HSET', record, unpack(changes))
    return {recovered and 'recovered' or 'released'}
  end

  local inARow = #string.match(recent, '%-*$')
  local _, errors = string.gsub(recent, '%-', '')
  local eject = ejections > 0 or inARow >= maxConsecutive
    or (#recent >= minOutcomes and errors >= #recent * errorShare)
  redis.call('HSET', record, 'recent', recent)
  if not eject then return {'released'} end

  local usable, suspects = 0, 0
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', agents, '(' .. whole(now), '+inf')) do
    local o = redis.call('HMGET', prefix .. ':' .. other, 'draining', 'suspectUntil')
    if o[1] ~= '1' then usable = usable + 1 end
    if other ~= id and o[1] ~= '1' and o[2] and tonumber(o[2]) > now then suspects = suspects + 1 end
  end
  -- Errors everywhere are rarely the fault of every agent: at most half (but one always) is ejected at once.
  if suspects + 1 > math.max(1, math.floor(usable / 2)) then return {'spared'} end

  local ejectMs = math.min(maxMs, baseMs * 2 ^ math.min(ejections, 30))
  redis.call('HSET', record, 'ejections', whole(ejections + 1), 'suspectUntil', whole(now + ejectMs), 'ejectedAt', whole(now),
    'recent', '', 'returnPlaces', whole(firstPlaces), 'returnSuccesses', '0')
  return {'ejected', whole(ejectMs)}
end
${eachItemLua()}`;
