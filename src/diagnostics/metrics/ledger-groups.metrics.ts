import type { LedgerGroup, LedgerSnapshot } from '../../ledger/index.js';
import { cleanText } from '../text/clean-text.js';
import type { Metric, MetricValue } from './metric.js';

/** How many places a scrape names: every one of them is a series for ever. */
export const SITE_LIMIT = 20;

interface Site {
  labels: Record<'kind' | 'site' | 'via', string>;
  live: number;
  ratePerSecond: number;
}

/** The places with the most alive, different ways to one line together. */
function topSites({ groups }: LedgerSnapshot): Site[] {
  const sites = new Map<string, Site>();
  for (const group of groups) {
    if (group.live === 0) continue;
    const labels = { kind: group.kind, site: siteLabel(group), via: group.via ?? '' };
    const key = Object.values(labels).join('\n');
    const site = sites.get(key) ?? { labels, live: 0, ratePerSecond: 0 };
    site.live += group.live;
    site.ratePerSecond += group.ratePerSecond;
    sites.set(key, site);
  }
  return [...sites.values()].sort((a, b) => b.live - a.live).slice(0, SITE_LIMIT);
}

/** File and line alone: a function's name may change with every build. */
function siteLabel({ site, provider, overflow, stack }: LedgerGroup): string {
  if (overflow) return overflow;
  if (provider) return `provider ${cleanText(provider)}`;
  const place = site ?? stack[0];
  return place ? cleanText(`${place.file}:${place.line}`) : '(no line)';
}

function bySite(figure: (site: Site) => number) {
  return (snapshot: LedgerSnapshot): MetricValue[] =>
    topSites(snapshot).map((site) => ({ value: figure(site), labels: site.labels }));
}

/** What is alive by the line that made it, the largest only. */
export const ledgerGroupMetrics: readonly Metric<LedgerSnapshot>[] = [
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
