/** The series of one scrape: metric → the sets of labels that it came with. */
export type Scrape = ReadonlyMap<string, readonly Readonly<Record<string, string>>[]>;

/** Reads the text that Prometheus is given. */
export function readScrape(text: string): Scrape {
  const series = new Map<string, Record<string, string>[]>();
  for (const line of text.split('\n')) {
    const [, metric, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (metric === undefined) continue;
    const found = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name!, value!]);
    series.set(metric, [...(series.get(metric) ?? []), Object.fromEntries(found) as Record<string, string>]);
  }
  return series;
}
