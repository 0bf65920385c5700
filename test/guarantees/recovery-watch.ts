import { setTimeout as sleep } from 'node:timers/promises';
import type { Recovery } from './journal.js';
import { FINAL_STATES, type Records } from './records.js';

const LOOK_EVERY_MS = 50;
/** Looked on for longer than the promise, so that a breach has a number. */
const GIVE_UP_MS = 30_000;

/**
 * Waits until every run that is under way now has gone on: it ended, was put off, or was dispatched anew. Divided runs are left
 * out, their parts are counted.
 * @param at from when the time counts, ms since the epoch
 */
export async function watchRecovery(records: Records, kind: string, at: number): Promise<Recovery> {
  const openIds = await records.openRunIds();
  const standings = await records.standings(openIds);
  const left = new Map<string, number>();
  openIds.forEach((runId, index) => {
    const standing = standings[index];
    if (standing?.state === 'running' && !standing.isDivided) left.set(runId, standing.epoch);
  });
  const underWayCount = left.size;
  let takenOverCount = 0;
  let lastTakeoverAt = at;
  while (left.size > 0) {
    if (Date.now() - at > GIVE_UP_MS) return { kind, at, underWayCount, takenOverCount };
    await sleep(LOOK_EVERY_MS);
    const ids = [...left.keys()];
    const now = await records.standings(ids);
    ids.forEach((runId, index) => {
      const standing = now[index];
      const epochBefore = left.get(runId);
      const isDone = standing === undefined || FINAL_STATES.has(standing.state);
      const isDispatchedAnew = standing !== undefined && standing.epoch !== epochBefore;
      if (!isDone && !isDispatchedAnew && standing.state === 'running') return;
      left.delete(runId);
      if (standing?.state === 'cancelled' || !isDispatchedAnew) return;
      takenOverCount += 1;
      lastTakeoverAt = Date.now();
    });
  }
  return { kind, at, takeoverMs: lastTakeoverAt - at, underWayCount, takenOverCount };
}
