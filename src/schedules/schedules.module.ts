import { Module } from '@nestjs/common';
import { RunsModule } from '../runs/runs.module.js';
import { Lateness } from './lateness.js';
import { ScheduleDeclaration } from './schedule-declaration.js';
import { ScheduleStore } from './schedule-store.js';
import { ScheduleTicker } from './schedule-ticker.js';
import { ScheduleViews } from './schedule-views.js';
import { SchedulesController } from './schedules.controller.js';

/** When something is due: declarations, ticks, misfire. */
@Module({
  imports: [RunsModule],
  controllers: [SchedulesController],
  providers: [Lateness, ScheduleDeclaration, ScheduleStore, ScheduleTicker, ScheduleViews],
  exports: [Lateness],
})
export class SchedulesModule {}
