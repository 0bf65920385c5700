import type { LedgerCount } from '../../ledger/index.js';
import { cleanText } from '../text/clean-text.js';
import type { Metric, MetricValue } from './metric.js';

/** How many places a scrape names: every one of them is a series for ever. */
export const SITE_LIMIT = 20;

/** What was made at one line, whatever way led there. */
interface Site {
  readonly labels: Readonly<Record<'kind' | 'site' | 'via', string>>;
  live: number;
  ratePerSecond: number;
}

/** The places with the most alive, read once per scrape. */
export interface SitesReading {
  readonly sites: readonly Site[];
}

/** The places with the most alive, different ways to one line together. */
export function topSites(groups: readonly LedgerCount[]): Site[] {
  const sites = new Map<string, { group: LedgerCount; live: number; ratePerSecond: number }>();
  for (const group of groups) {
    const { kind, via, live, ratePerSecond } = group;
    if (live === 0) continue;
    const key = `${kind}\n${via ?? ''}\n${siteLabel(group)}`;
    const known = sites.get(key);
    if (known === undefined) sites.set(key, { group, live, ratePerSecond });
    else {
      known.live += live;
      known.ratePerSecond += ratePerSecond;
    }
  }
  return [...sites.values()]
    .sort((a, b) => b.live - a.live)
    .slice(0, SITE_LIMIT)
    .map(({ group, ...figures }) => ({
      ...figures,
      labels: { kind: group.kind, site: cleanText(siteLabel(group)), via: group.via ?? '' },
    }));
}

/** File and line alone: a function's name may change with every build. */
function siteLabel({ site, provider, overflow, stack }: LedgerCount): string {
  if (overflow) return overflow;
  if (provider) return `provider ${provider}`;
  const place = site ?? stack[0];
  return place ? `${place.file}:${place.line}` : '(no line)';
}

function bySite(figure: (site: Site) => number) {
  return ({ sites }: SitesReading): MetricValue[] =>
    sites.map((site) => ({ value: figure(site), labels: site.labels }));
}

/** What is alive by the line that made it, the largest only. */
export const ledgerGroupMetrics: readonly Metric<SitesReading>[] = [
  {
    name: 'mu_ledger_site_live',
    help: `Resources alive by the line that made them; the ${SITE_LIMIT} largest.`,
    type: 'gauge',
    labelNames: ['kind', 'site', 'via'],
    values: bySite(({ live }) => live),
  },
  {
    name: 'mu_ledger_site_growth_per_second',
    help: 'Growth of the same over the last 30 to 60 seconds.',
    type: 'gauge',
    labelNames: ['kind', 'site', 'via'],
    values: bySite(({ ratePerSecond }) => ratePerSecond),
  },
];
