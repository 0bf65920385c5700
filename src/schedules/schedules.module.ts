import { Module } from '@nestjs/common';
import { RunsModule } from '../runs/runs.module.js';
import { CrowdedSeconds } from './crowded-seconds.js';
import { Lateness } from './lateness.js';
import { PlannedFirings } from './planned-firings.js';
import { Reconciler } from './reconciler.js';
import { ScheduleExplanation } from './schedule-explanation.js';
import { ScheduleSync } from './schedule-sync.js';
import { TickLedger } from './tick-ledger.js';
import { ScheduleDeclaration } from './schedule-declaration.js';
import { ScheduleStore } from './schedule-store.js';
import { ScheduleTicker } from './schedule-ticker.js';
import { ScheduleViews } from './schedule-views.js';
import { SchedulePreviewController } from './schedule-preview.controller.js';
import { SchedulesController } from './schedules.controller.js';

/** When something is due: declarations, ticks, misfire. */
@Module({
  imports: [RunsModule],
  controllers: [SchedulePreviewController, SchedulesController],
  providers: [
    CrowdedSeconds,
    Lateness,
    PlannedFirings,
    Reconciler,
    ScheduleDeclaration,
    ScheduleExplanation,
    ScheduleStore,
    ScheduleSync,
    ScheduleTicker,
    ScheduleViews,
    TickLedger,
  ],
  exports: [Lateness],
})
export class SchedulesModule {}
