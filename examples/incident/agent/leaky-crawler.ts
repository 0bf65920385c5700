import { Injectable } from '@nestjs/common';
// eslint-disable-next-line no-restricted-imports -- the mistake that this example is about
import { Redis } from 'ioredis';
import { type JobContext, JobHandler } from 'mu-commander/agent';
import { type CrawledPage, crawlPage, pageKey } from './page-store.js';

/** The incident: it looks harmless, works in every test, and kills the machine within two days. */
@Injectable()
export class LeakyCrawler {
  @JobHandler('crawl-leaky')
  async crawl({ url }: { url: string }, { signal }: JobContext): Promise<CrawledPage> {
    const page = await crawlPage(url, signal);
    // eslint-disable-next-line no-restricted-syntax -- a client per call, which nobody closes
    const redis = new Redis(process.env['REDIS_URL']!);
    await redis.set(pageKey(url), JSON.stringify(page));
    return page;
  }
}
