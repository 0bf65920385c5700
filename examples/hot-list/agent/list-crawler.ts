import { Injectable, Logger } from '@nestjs/common';
import { type JobContext, JobFailure, JobHandler } from 'mu-commander/agent';
import type { HotList } from './list-item.js';
import { fetchPage } from './list-page.js';
import { parseList } from './list-parser.js';

/** Payload of the job `crawl-list`. */
export interface CrawlList {
  url: string;
  /** A preset of list-presets.ts; without it the page's shape is found out. */
  kind?: string;
}

/** Executes `crawl-list`: fetches a page and reads the list on it. */
@Injectable()
export class ListCrawler {
  private readonly logger = new Logger(ListCrawler.name);

  @JobHandler('crawl-list')
  async crawl({ url, kind }: CrawlList, { signal, attempt }: JobContext): Promise<HotList> {
    const page = await fetchPage(url, signal);
    const list = parseList(page.html, page.url, kind);
    // An empty list is a failure: it must not replace the last good one.
    if (list.items.length === 0) throw new JobFailure(`${url}: no list found on the page`);
    this.logger.log(`${url}: ${list.items.length} items (${list.kind}, attempt ${attempt})`);
    return { url: page.url, ...list };
  }
}
