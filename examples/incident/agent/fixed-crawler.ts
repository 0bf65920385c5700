import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
// eslint-disable-next-line no-restricted-imports -- an application of its own, with one client of its own
import { Redis } from 'ioredis';
import { type JobContext, JobHandler } from 'mu-commander/agent';
import { type CrawledPage, crawlPage, pageKey } from './page-store.js';

/** The cure: one client, made once, closed with the application. */
@Injectable()
export class FixedCrawler implements OnApplicationShutdown {
  constructor(@Inject(Redis) private readonly redis: Redis) {}

  @JobHandler('crawl-fixed')
  async crawl({ url }: { url: string }, { signal }: JobContext): Promise<CrawledPage> {
    const page = await crawlPage(url, signal);
    await this.redis.set(pageKey(url), JSON.stringify(page));
    return page;
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
