import { Controller, Get, HttpException, Inject, Param } from '@nestjs/common';
import { CommandError, CommanderClient } from 'mu-commander/client';
import type { Site } from './site.js';
import { SITES } from './site-schedules.js';

/** Serves the stored lists over HTTP. */
@Controller('lists')
export class ListsController {
  constructor(
    private readonly commander: CommanderClient,
    @Inject(SITES) private readonly sites: Site[],
  ) {}

  /** Every site with what is stored of it. */
  @Get()
  async list(): Promise<object[]> {
    const { items } = await this.commander.results.list({ limit: 500 }).catch(asHttp);
    const stored = new Map(items.map((item) => [item.key, item]));
    return this.sites.map(({ key, url }) => {
      const result = stored.get(key);
      return result ? { key, url, ...freshness(result) } : { key, url, crawled: false };
    });
  }

  /** The last good list of a site, how old it is, and whether newer crawls have failed (`stale`). */
  @Get(':key')
  async get(@Param('key') key: string): Promise<object> {
    const result = await this.commander.results.get({ key }).catch(asHttp);
    return { key, ...freshness(result), ...(result.value as object) };
  }
}

function freshness({ version, storedAt, stale }: { version: number; storedAt: number; stale: boolean }): object {
  return { version, storedAt: new Date(storedAt).toISOString(), ageMs: Math.max(0, Date.now() - storedAt), stale };
}

function asHttp(error: unknown): never {
  if (!(error instanceof CommandError)) throw error;
  const status = { NOT_FOUND: 404, INVALID_ARGUMENT: 400 }[error.code as string] ?? 503;
  throw new HttpException({ code: error.code, message: error.message }, status);
}
