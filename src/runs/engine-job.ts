/** One hand-over of a run to the engine. */
export interface EngineJob {
  namespace: string;
  runId: string;
  /** Which hand-over of the run this is; part of the engine's job id, so that repeating one adds nothing. */
  enqueues: number;
  priority?: number;
}
