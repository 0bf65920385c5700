/**
 * Head of the scripts below. ARGV: prefix, instance. Of each instance there is a stream of the samples of its lives, and a hash of
 * its lives: id to JSON of {header, first, last, stoppedAt?}, where first and last are entries of the stream. One sorted set has
 * the instances by when they were heard last.
 */
export const livesKeyspaceLua = `
local prefix, instance = ARGV[1], ARGV[2]
local instancesKey = prefix .. ':instances'
local function samplesKey(name) return prefix .. ':life-samples:' .. name end
local function livesKey(name) return prefix .. ':lives:' .. name end
`;
