import type { ScheduleSpec } from '../contract/schedule.schema.js';
import type { FirstDispatch } from './first-dispatch.js';

/** A run to submit, as the script takes it. */
export interface RunToSubmit {
  ns: string;
  runId: string;
  scheduleId?: string;
  specText: string;
  resultKey?: string;
  priority?: number;
  delayMs?: number;
  /** ms since the epoch; in the past: at once. */
  at?: number;
  idempotencyScope: string;
  idempotencyKey?: string;
  overlap: ScheduleSpec['overlap'];
  /** The run that this one repeats: it leaves the dead letters. */
  retryOf?: string;
  failedAgentId?: string;
  begin?: FirstDispatch;
}

/** What the script answers for one run. */
export type SubmitReply =
  | { refused: 'full' | 'overlap' }
  | {
      runId: string;
      created: boolean;
      at: number;
      dueAt?: number;
      buffered?: boolean;
      cancelled: unknown;
      place?: string[];
    };

/**
 * Lua function `submitRun(item)`, see {@link RunToSubmit}: makes a run, if it is not known and there is room for it. Behind create-run.lua.ts and
 * `limits` = {outboxMs, windowMs, maxOpenRuns} and `keep`. Returns {@link SubmitReply}.
 */
export const submitRunLua = `
local function submitRun(request)
  local at = timeMs()
  local key
  if request.idempotencyKey then
    key = prefix .. ':idempotency:' .. request.ns .. ':' .. request.idempotencyScope .. ':' .. request.idempotencyKey
    local first = redis.call('GET', key)
    if first then return { runId = first, created = false, at = at, cancelled = {} } end
  end
  if redis.call('ZCARD', dueKey) + gatheredCount(dueKey) >= limits.maxOpenRuns then return { refused = 'full' } end
  local admitted, cancelled = 'run', {}
  if request.scheduleId then admitted, cancelled = admit(request.ns, request.scheduleId, request.overlap, keep) end
  if admitted == 'skip' then return { refused = 'overlap' } end
  local dueAt = request.at
  if request.delayMs then dueAt = at + request.delayMs end
  local _, place = createRun({
    ns = request.ns, runId = request.runId, scheduleId = request.scheduleId, specText = request.specText,
    resultKey = request.resultKey, priority = request.priority, failedAgentId = request.failedAgentId,
    at = at, outboxMs = limits.outboxMs, dueAt = dueAt, buffered = admitted == 'buffer' or nil, begin = request.begin,
  })
  if request.retryOf then redis.call('ZREM', prefix .. ':dead:' .. request.ns, request.retryOf) end
  if key then
    -- A run is repeated once, as long as it is known.
    local windowMs = request.retryOf and math.max(limits.windowMs, keep[1]) or limits.windowMs
    redis.call('SET', key, request.runId, 'PX', windowMs)
  end
  local reply = { runId = request.runId, created = true, at = at, cancelled = cancelled, buffered = admitted == 'buffer', place = place }
  if dueAt and dueAt > at then reply.dueAt = dueAt end
  return reply
end
`;
