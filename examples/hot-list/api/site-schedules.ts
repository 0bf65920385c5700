import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CommanderClient } from 'mu-commander/client';
import type { Site } from './site.js';

/** Injection token of the sites to crawl. */
export const SITES = Symbol('SITES');
/** Injection token of the interval between two crawls of a site, in ms. */
export const EVERY_MS = Symbol('EVERY_MS');

/** Declares one schedule per site when the app starts. Declaring them again at the next start changes nothing. */
@Injectable()
export class SiteSchedules implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SiteSchedules.name);
  private readonly stop = new AbortController();

  constructor(
    private readonly commander: CommanderClient,
    @Inject(SITES) private readonly sites: Site[],
    @Inject(EVERY_MS) private readonly everyMs: number,
  ) {}

  /** Not awaited: the lists that are stored already can be served while commander is away. */
  onApplicationBootstrap(): void {
    void this.declareUntilDone();
  }

  onModuleDestroy(): void {
    this.stop.abort();
  }

  private async declareUntilDone(): Promise<void> {
    const { signal } = this.stop;
    for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 30_000)) {
      try {
        for (const site of this.sites) await this.declare(site, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.logger.warn(`schedules not declared yet: ${(error as Error).message}`);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async declare({ key, url, kind }: Site, signal: AbortSignal): Promise<void> {
    const { schedule, created, changed } = await this.commander.schedules.upsert(
      {
        id: `hot-list-${key}`,
        everyMs: this.everyMs,
        job: { name: 'crawl-list', payload: { url, ...(kind === undefined ? {} : { kind }) } },
        timeoutMs: 15_000,
        retry: { maxAttempts: 3, delayMs: 500 },
        resultKey: key,
        tags: ['hot-list'],
      },
      { signal },
    );
    const what = created ? 'created' : changed ? 'changed' : 'unchanged';
    this.logger.log(`schedule ${schedule.id} ${what}: ${url} every ${this.everyMs} ms`);
  }
}
