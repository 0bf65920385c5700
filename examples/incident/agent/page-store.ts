/** What a crawl leaves behind: the page, under its address. */
export interface CrawledPage {
  url: string;
  status: number;
  bytes: number;
}

/** Key in Redis under which a page is kept. */
export function pageKey(url: string): string {
  return `incident:page:${url}`;
}

/** Fetches a page and measures it. */
export async function crawlPage(url: string, signal: AbortSignal): Promise<CrawledPage> {
  const response = await fetch(url, { signal });
  const text = await response.text();
  return { url, status: response.status, bytes: Buffer.byteLength(text) };
}
