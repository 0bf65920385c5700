/** A page with a list that is crawled again and again. */
export interface Site {
  /** Name of its schedule and of its stored list. */
  key: string;
  url: string;
  /** Preset of the agent; without it the agent finds out. */
  kind?: string;
}

/** `SITES=https://a.example/hot,https://b.example`: any pages. Without it the three of the example's own server (`SITES_URL`). */
export function readSites(environment: Record<string, string | undefined>): Site[] {
  const { SITES, SITES_URL = 'http://127.0.0.1:7980' } = environment;
  if (SITES) {
    const urls = SITES.split(',').map((url) => url.trim());
    return urls.filter((url) => url !== '').map((url) => ({ key: keyOf(url), url }));
  }
  return [
    { key: 'news', url: `${SITES_URL}/news`, kind: 'table-rows' },
    { key: 'board', url: `${SITES_URL}/board`, kind: 'ordered-list' },
    { key: 'videos', url: `${SITES_URL}/videos`, kind: 'cards' },
  ];
}

/** Letters, digits and dashes of host and path, which commander takes as an id. */
function keyOf(text: string): string {
  if (!URL.canParse(text)) throw new Error(`SITES: ${text} is no URL`);
  const { host, pathname, search } = new URL(text);
  return `${host}${pathname}${search}`
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
}
