import type { PlaceQuery } from '../agents/agents.service.js';
import type { RunRecord } from './run.record.js';

/** A run that is about to be made, as far as its first dispatch needs it. */
export type RunToMake = Pick<RunRecord, 'namespace' | 'runId' | 'scheduleId' | 'spec' | 'failedAgentIds'>;

/** Lets the script that makes a run begin it in the same step, if one of these agents has a place. */
export interface FirstDispatch {
  query: PlaceQuery;
  /** ms until the run is looked after again, unless its replica puts that off (watch-runs.lua.ts). */
  lookMs: number;
  /** JSON of who else was considered, or ''. */
  considered: string;
}
