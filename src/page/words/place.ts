interface Site {
  file: string;
  line: number;
  function: string | null;
}

interface Made {
  site: Site | null;
  provider?: string;
  via?: string;
  overflow?: string;
  stack?: readonly (Site & { library: boolean })[];
}

/** Where something is made, in one line: `src/crawl.service.ts:42 in CrawlService.fetch via ioredis.client`. */
export function placeOf({ site, provider, via, overflow, stack }: Made): string {
  return `${origin(site, provider, overflow, stack?.[0])}${via === undefined ? '' : ` via ${via}`}`;
}

function origin(site: Site | null, provider?: string, overflow?: string, innermost?: Site): string {
  if (site) return frameText(site);
  if (provider !== undefined) return `provider ${provider}`;
  if (overflow !== undefined)
    return overflow === '(other)' ? 'other places (table full)' : 'unknown (opened before counting began)';
  return innermost ? `${frameText(innermost)} (library)` : 'no line of the application';
}

/** `src/crawl.service.ts:42 in CrawlService.fetch` */
export function frameText({ file, line, function: name }: Site): string {
  return `${file}:${line}${name === null ? '' : ` in ${name}`}`;
}
