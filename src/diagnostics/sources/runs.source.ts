/*
 * sources.runs: what this replica does with runs. Counts without "now" are since the start.
 *
 * field                type    unit     source
 * dispatchedCount      int     count    DispatchStats: attempts handed to an agent
 * dispatchedPerSecond  number  count/s  the same, over the last minute
 * failedCount          int     count    runs that failed for good or timed out
 * withoutAgentCount    int     count    times that a run looked for an agent that could take it, and found none
 * repairsCount         int     count    runs and due times that were lost and that this replica brought back
 * takeoversCount       int     count    of them, those that were under way at a replica that is gone
 * waitingHereCount     int     count    Engine: runs that wait for a place of this replica, now
 *
 * Cost: under 1 µs.
 */
import { Inject, Injectable } from '@nestjs/common';
import { DispatchStats } from '../../runs/dispatch-stats.js';
import { Engine } from '../../runs/engine.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { runsMetrics, type RunsReading } from './runs.metrics.js';

@Injectable()
export class RunsSource implements DiagnosticsSource<RunsReading> {
  readonly name = 'runs';
  readonly metrics = runsMetrics;

  constructor(
    @Inject(DispatchStats) private readonly dispatch: DispatchStats,
    @Inject(Engine) private readonly engine: Pick<Engine, 'waitingHereCount'>,
  ) {}

  read(): RunsReading {
    const { totalCount, perSecond, failedCount, withoutAgentCount, repairsCount, takeoversCount } =
      this.dispatch.read();
    return {
      dispatchedCount: totalCount,
      dispatchedPerSecond: perSecond,
      failedCount,
      withoutAgentCount,
      repairsCount,
      takeoversCount,
      waitingHereCount: this.engine.waitingHereCount,
    };
  }
}
