import { acquirePlaceLua } from '../agents/acquire.lua.js';
import { releasePlaceLua } from '../agents/release.lua.js';
import { eachItemLua } from '../redis/gathered-script.js';
import { type AttemptToBegin, beginAttemptLua } from './begin-attempt.lua.js';
import { createRunLua } from './create-run.lua.js';
import { endRunLua, finishRunFunctionLua, type RunToFinish } from './finish-run.lua.js';
import { runKeyspaceLua } from './run-keyspace.lua.js';
import { type RunToSubmit, submitRunLua } from './submit-run.lua.js';

/** One step of a run, as the script takes it. */
export type RunStep =
  ({ step: 'submit' } & RunToSubmit) | ({ step: 'begin' } & AttemptToBegin) | ({ step: 'end' } & RunToFinish);

/**
 * Submits, begins and ends runs, in the order in which that was asked for: of runs that end, the next ones in the same command have the places.
 * ARGV: prefix, JSON of {@link RunStep}s, the five numbers of `keep`, ms until a run that nobody began is handed out again, ms that an idempotency
 * key is remembered, how many runs may be open, then what releasePlaceLua reads.
 * Returns for each what submitRunLua, beginAttemptLua or endRunLua says.
 */
export const runStepsLua = `
${runKeyspaceLua}
local keep = { tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]) }
local limits = { outboxMs = tonumber(ARGV[8]), windowMs = tonumber(ARGV[9]), maxOpenRuns = tonumber(ARGV[10]) }
local rulesAt = 11
${acquirePlaceLua}
${finishRunFunctionLua}
${releasePlaceLua}
${createRunLua}
${submitRunLua}
${beginAttemptLua}
${endRunLua}
local steps = { submit = submitRun, begin = beginAttempt, ['end'] = endRun }
local function each(item) return steps[item.step](item) end
${eachItemLua('addGathered()')}`;
