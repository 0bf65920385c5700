import { eachItemLua } from '../redis/gathered-script.js';
import { preludeLua } from './prelude.lua.js';

/** A place to give back, as the script takes it. */
export interface ReleasedPlace {
  /** Keys: agents of the namespace, and what records of agents begin with. */
  agents: string;
  prefix: string;
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
 * Lua function `releasePlace(item)`, see {@link ReleasedPlace}: gives a place back and lets its outcome count. Behind preludeLua, and
 * behind what says where its rules begin in ARGV (`local rulesAt = 3`): kept outcomes, outcomes' lifetime ms, then the rules of agent-health.ts.
 * Returns `released` · `ejected, ms` · `spared` (would be ejected, but too many are) · `recovered`.
 */
export const releasePlaceLua = `
local keptOutcomes, outcomesMs = tonumber(ARGV[rulesAt]), tonumber(ARGV[rulesAt + 1])
local maxConsecutive, window, minOutcomes, errorShare =
  tonumber(ARGV[rulesAt + 2]), tonumber(ARGV[rulesAt + 3]), tonumber(ARGV[rulesAt + 4]), tonumber(ARGV[rulesAt + 5])
local baseMs, maxMs, firstPlaces, recoverySuccesses =
  tonumber(ARGV[rulesAt + 6]), tonumber(ARGV[rulesAt + 7]), tonumber(ARGV[rulesAt + 8]), tonumber(ARGV[rulesAt + 9])

local outcomesKept = {}

local function releasePlace(item)
  local now = timeMs()
  local agents, prefix, id, letter, takenAt = item.agents, item.prefix, item.agentId, item.letter, item.takenAt
  local record = prefix .. ':' .. id
  local outcomes = record .. ':outcomes'

  local held = redis.call('ZREM', placesKey(record), item.place)
  redis.call('ZREM', record .. ':cancels', item.runId)
  -- A place that is not held any more was counted before, or belongs to a process that is gone.
  if held == 0 or letter == '' then return {'released'} end
  local f = fieldsOf(record, 'instanceEpoch', 'suspectUntil', 'ejectedAt', 'ejections', 'recent', 'returnPlaces', 'returnSuccesses')
  if f[1] ~= item.instanceEpoch then return {'released'} end

  redis.call('LPUSH', outcomes, letter .. ':' .. whole(item.durationMs))
  redis.call('LTRIM', outcomes, 0, keptOutcomes - 1)
  if not outcomesKept[outcomes] then
    outcomesKept[outcomes] = true
    keepAtLeast(outcomes, outcomesMs)
  end

  local suspectUntil, ejectedAt, ejections = tonumber(f[2]) or 0, tonumber(f[3]) or 0, tonumber(f[4]) or 0
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
    local o = fieldsOf(prefix .. ':' .. other, 'draining', 'suspectUntil')
    if o[1] ~= '1' then usable = usable + 1 end
    if other ~= id and o[1] ~= '1' and (tonumber(o[2]) or 0) > now then suspects = suspects + 1 end
  end
  -- Errors everywhere are rarely the fault of every agent: at most half (but one always) is ejected at once.
  if suspects + 1 > math.max(1, math.floor(usable / 2)) then return {'spared'} end

  local ejectMs = math.min(maxMs, baseMs * 2 ^ math.min(ejections, 30))
  redis.call('HSET', record, 'ejections', whole(ejections + 1), 'suspectUntil', whole(now + ejectMs), 'ejectedAt', whole(now),
    'recent', '', 'returnPlaces', whole(firstPlaces), 'returnSuccesses', '0')
  return {'ejected', whole(ejectMs)}
end
`;

/**
 * Gives places back. ARGV prefix, JSON of {@link ReleasedPlace}s, then what {@link releasePlaceLua} reads. Replies for each as that says.
 */
export const releaseLua = `${preludeLua}
local rulesAt = 3
${releasePlaceLua}
local each = releasePlace
${eachItemLua()}`;
