import { Module } from '@nestjs/common';
import { CommanderClientModule } from 'mu-commander/client';
import { ListsController } from './lists.controller.js';
import { readSites } from './site.js';
import { EVERY_MS, SiteSchedules, SITES } from './site-schedules.js';

const { COMMANDER_HOST, COMMANDER_PORT, COMMANDER_TOKEN, EVERY_MS: everyMs = '60000' } = process.env;

/** Schedules the sites and serves what was crawled. */
@Module({
  imports: [
    CommanderClientModule.forRoot({
      host: COMMANDER_HOST,
      port: COMMANDER_PORT ? Number(COMMANDER_PORT) : undefined,
      token: COMMANDER_TOKEN,
    }),
  ],
  controllers: [ListsController],
  providers: [
    SiteSchedules,
    { provide: SITES, useFactory: () => readSites(process.env) },
    { provide: EVERY_MS, useValue: Number(everyMs) },
  ],
})
export class ApiModule {}
