import type { GivenPlace } from '../agents/agents.service.js';
import type { RunRecord } from './run.record.js';
import type { WatchedRun } from './run-watch.js';

/** One hand-over of a run to the engine. */
export interface EngineJob {
  namespace: string;
  runId: string;
  /** Which hand-over of the run this is; part of the engine's job id, so that repeating one adds nothing. */
  enqueues: number;
  priority?: number;
}

/** A run that was handed over by whoever made or found it. */
export interface HandedRun extends EngineJob {
  /** As it was just written down, which spares reading it again. Whatever has changed since, its epoch tells. */
  record?: RunRecord;
  /** Where it was begun as it was made, as its first attempt under epoch 1; then `record` is set, too. */
  begunAt?: GivenPlace;
  /** Its epoch when it was found to be nobody's: under another one somebody has begun it since. Unset where that is not known. */
  foundEpoch?: number;
  /** Since when it waits for a place here, by performance.now(). */
  waitsSince?: number;
  /** It counts as under way here already, while it waits for a place; whoever executes it, or hands it on, ends that. */
  watched?: WatchedRun;
}
