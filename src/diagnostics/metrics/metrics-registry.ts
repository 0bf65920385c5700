import { Counter, Gauge, Registry } from 'prom-client';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { Metric, MetricGroup, MetricValue } from './metric.js';

const NAME = /^mu_[a-z][a-z0-9_]*$/;

interface Entry {
  metric: Metric<unknown>;
  shown: Counter | Gauge;
}

/** The metrics of all groups in a registry of their own: the application's default registry is the application's. */
export class MetricsRegistry {
  private readonly registry = new Registry();
  private readonly groups: readonly { group: MetricGroup; entries: readonly Entry[] }[];
  private readonly scrapeSeconds: Gauge;
  /** Groups that failed in the last scrape: a failure is logged when it begins. */
  private readonly failing = new Set<string>();
  private underWay: Promise<string> | undefined;

  /** @throws Error for a name that is there twice or does not begin with `mu_` */
  constructor(
    groups: readonly MetricGroup[],
    private readonly log: DiagnosticsLog,
  ) {
    this.groups = groups.map((group) => ({ group, entries: group.metrics.map((metric) => this.entry(metric)) }));
    this.scrapeSeconds = new Gauge({
      name: 'mu_scrape_duration_seconds',
      help: 'How long the reading of all other metrics took.',
      registers: [this.registry],
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The text of one scrape; two at the same time are one. Never rejects. */
  text(): Promise<string> {
    this.underWay ??= this.scrape().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private async scrape(): Promise<string> {
    const startedMs = performance.now();
    await Promise.all(this.groups.map(({ group, entries }) => this.read(group, entries)));
    this.scrapeSeconds.set((performance.now() - startedMs) / 1_000);
    return this.registry.metrics();
  }

  private async read(group: MetricGroup, entries: readonly Entry[]): Promise<void> {
    try {
      const reading = await group.read();
      for (const { metric, shown } of entries) show(shown, metric, metric.values(reading));
      this.failing.delete(group.name);
    } catch (error) {
      // What cannot be read is absent, and not what it was the last time.
      for (const { metric, shown } of entries) show(shown, metric, null);
      if (this.failing.has(group.name)) return;
      this.failing.add(group.name);
      this.log.warn(`metrics of ${group.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private entry(metric: Metric<unknown>): Entry {
    const { name, help, type, labelNames = [] } = metric;
    if (!NAME.test(name)) throw new Error(`metric ${JSON.stringify(name)}: expected a name like "mu_heap_used_bytes"`);
    const options = { name, help, labelNames: [...labelNames], registers: [this.registry] };
    return { metric, shown: type === 'counter' ? new Counter(options) : new Gauge(options) };
  }
}

function show(
  shown: Counter | Gauge,
  { labelNames = [] }: Metric<unknown>,
  values: number | null | readonly MetricValue[],
): void {
  shown.reset();
  // Without labels a reset leaves a zero, which nobody has read.
  if (labelNames.length === 0) shown.remove();
  const list = typeof values === 'number' ? [{ value: values }] : (values ?? []);
  for (const { value, labels = {} } of list) shown.inc(labels, value);
}
