/** In the environment of a worker: which lane of `lanes.runner.ts` it belongs to; absent in the first. */
export const LANE_ENV = 'JEST_LANE';
export const WAITING_LANE = 'waiting';

/** Tells workers that run at the same time apart: 0 without workers, then 1, 2, … */
export function workerNumber(): number {
  const number = Number(process.env.JEST_WORKER_ID ?? 0);
  // Half of the numbers are for each lane.
  return 2 * number + (process.env[LANE_ENV] === WAITING_LANE ? 1 : 0);
}
