import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { DispatchStats } from './dispatch-stats.js';
import { DueLoop } from './due-loop.js';
import { DueOutlook } from './due-outlook.js';
import { Engine } from './engine.js';
import { Replicas } from './replicas.js';
import { ResultStore } from './result-store.js';
import { ResultsController } from './results.controller.js';
import { RunCancellation } from './run-cancellation.js';
import { RunExecutor } from './run-executor.js';
import { RunHistory } from './run-history.js';
import { RunRequeue } from './run-requeue.js';
import { RunSlots } from './run-slots.js';
import { RunStore } from './run-store.js';
import { RunSubmission } from './run-submission.js';
import { RunWaiters } from './run-waiters.js';
import { RunWatch } from './run-watch.js';
import { RunsController } from './runs.controller.js';
import { RetakenRuns } from './retaken-runs.js';
import { WaitedRuns } from './waited-runs.js';

/** One execution: submit, attempts, timeout, cancel, history, result. Owns the engine's queue and worker. */
@Module({
  imports: [AgentsModule],
  controllers: [RunsController, ResultsController],
  providers: [
    DispatchStats,
    DueLoop,
    DueOutlook,
    Engine,
    Replicas,
    ResultStore,
    RunCancellation,
    RunExecutor,
    RunHistory,
    RunRequeue,
    RunSlots,
    RunStore,
    RunSubmission,
    RunWaiters,
    RunWatch,
    WaitedRuns,
    RetakenRuns,
  ],
  exports: [DispatchStats, DueLoop, DueOutlook, Engine, Replicas, RunCancellation, RunHistory, RunStore, RunSubmission],
})
export class RunsModule {}
