import type { Retry } from '../contract/job.schema.js';

/**
 * How long to wait before the attempt after `attempt` (1 for the first): `delayMs`, or `delayMs × 2^(attempt−1)`, never
 * above `maxDelayMs`, less a random tenth so that runs that failed together do not come back together.
 */
export function retryDelayMs(retry: Retry, attempt: number, random: () => number = Math.random): number {
  const factor = retry.backoff === 'exponential' ? 2 ** Math.min(attempt - 1, 40) : 1;
  const delayMs = Math.min(retry.delayMs * factor, retry.maxDelayMs);
  return Math.max(1, Math.round(delayMs * (1 - 0.1 * random())));
}
