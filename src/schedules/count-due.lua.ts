/**
 * How many schedules of a namespace are due within each of some seconds. Only crowded seconds are looked into, and of the
 * whole index no more than SCANNED members: an answer about thousands would be the same.
 * KEYS: due index. ARGV: prefix of the members that count, a member that does not, threshold, then the seconds in ms.
 * Returns {second, count, second, count, …} of those with at least `threshold`.
 */
export const countDueLua = `
local SCANNED, PAGE = 20000, 1000
local prefix, except, threshold = ARGV[1], ARGV[2], tonumber(ARGV[3])
local reply, scanned = {}, 0
for i = 4, #ARGV do
  local from, to = ARGV[i], '(' .. (tonumber(ARGV[i]) + 1000)
  if scanned < SCANNED and redis.call('ZCOUNT', KEYS[1], from, to) >= threshold then
    local count, offset = 0, 0
    repeat
      local members = redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'LIMIT', offset, PAGE)
      for _, member in ipairs(members) do
        if member ~= except and string.sub(member, 1, #prefix) == prefix then count = count + 1 end
      end
      offset = offset + #members
      scanned = scanned + #members
    until #members < PAGE or scanned >= SCANNED
    if count >= threshold then
      reply[#reply + 1] = ARGV[i]
      reply[#reply + 1] = count
    end
  end
end
return reply
`;
