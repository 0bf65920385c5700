/** One series at the moment of a scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series of one scrape by metric. */
export type Scrape = ReadonlyMap<string, readonly Sample[]>;

/** Reads the text that Prometheus is given. */
export function readScrape(text: string): Scrape {
  const series = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, metric, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (metric === undefined) continue;
    const found = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name!, value!]);
    const sample = {
      labels: Object.fromEntries(found) as Record<string, string>,
      value: value === '+Inf' ? Infinity : Number(value),
    };
    series.set(metric, [...(series.get(metric) ?? []), sample]);
  }
  return series;
}
