import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import type { IPrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { commanderContainer, commanderDeployment, type Manifest, ofKind, podOf } from './manifests.js';
import { metricUses } from './promql.js';
import type { Scrape } from './scrape.js';
import { selects } from './selectors.check.js';

/** Labels that Prometheus adds to what it scrapes, and a metric of its own about the scrape. */
const OF_PROMETHEUS = { labels: ['job', 'namespace', 'pod', 'container', 'instance'], metrics: ['up'] };
const SEVERITIES = ['critical', 'warning', 'info'];

interface Dashboard {
  panels: { id: number; title: string; gridPos: object; targets?: { expr: string }[] }[];
}

/** The alerts among manifests. */
export function alertsOf(manifests: readonly Manifest[]) {
  const rules = manifests.filter(({ kind }) => kind === 'PrometheusRule') as unknown as IPrometheusRule[];
  return rules.flatMap(({ spec }) => (spec.groups ?? []).flatMap(({ rules: own }) => own ?? []));
}

/** The dashboards among manifests: ConfigMaps that Grafana finds by their label. */
export function dashboardsOf(manifests: readonly Manifest[]): Dashboard[] {
  return ofKind(manifests, 'ConfigMap')
    .filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1')
    .flatMap(({ data }) => Object.values(data ?? {}).map((text) => JSON.parse(text) as Dashboard));
}

/** The PodMonitor finds the pods of commander, at a port that they have, with a token that they know. */
export function podMonitorCheck(manifests: readonly Manifest[]): string[] {
  const monitor = manifests.find(({ kind }) => kind === 'PodMonitor') as (Manifest & IPodMonitor) | undefined;
  if (monitor === undefined) return ['no PodMonitor'];
  const labels = (podOf(commanderDeployment(manifests)).metadata?.labels ?? {}) as Record<string, string>;
  const { ports = [], env = [] } = commanderContainer(manifests);
  const isSelected = selects(monitor.spec.selector.matchLabels as Record<string, string> | undefined, labels);
  const endpoints = monitor.spec.podMetricsEndpoints ?? [];
  return [
    ...(isSelected ? [] : ['PodMonitor: does not select the pods of commander']),
    ...(monitor.spec.jobLabel !== undefined && monitor.spec.jobLabel in labels ? [] : ['PodMonitor: no jobLabel']),
    ...(endpoints.length > 0 ? [] : ['PodMonitor: scrapes nothing']),
    ...endpoints.flatMap(({ port, path, authorization }) => {
      const { name, key } = authorization?.credentials ?? {};
      const token = env.find((variable) => variable.name === 'DIAGNOSTICS_TOKEN')?.valueFrom?.secretKeyRef;
      return [
        ...(ports.some((own) => own.name === port) ? [] : [`PodMonitor: no port ${port}`]),
        ...(path === '/metrics' ? [] : [`PodMonitor: scrapes ${path}`]),
        ...(name === token?.name && key === token?.key ? [] : ['PodMonitor: not the token of the pod']),
      ];
    }),
  ];
}

/** Every alert is an expression of PromQL with a severity, a sentence and an entry in the runbook. */
export function alertsCheck(manifests: readonly Manifest[], runbook: string): string[] {
  const headings = new Set([...runbook.matchAll(/^#+ (\w+)$/gm)].map(([, heading]) => heading!.toLowerCase()));
  const alerts = alertsOf(manifests);
  if (alerts.length === 0) return ['no alert'];
  return alerts.flatMap(({ alert = '(no name)', expr, labels = {}, annotations = {} }) => {
    const found: string[] = [];
    try {
      metricUses(String(expr));
    } catch (error) {
      found.push((error as Error).message);
    }
    if (!SEVERITIES.includes(labels.severity ?? '')) found.push(`severity ${labels.severity}`);
    if (!annotations.summary) found.push('no summary');
    const anchor = /^docs\/operations\.md#(\w+)$/.exec(annotations.runbook ?? '')?.[1];
    if (anchor !== alert.toLowerCase() || !headings.has(anchor))
      found.push(`no runbook entry (${annotations.runbook})`);
    return found.map((what) => `${alert}: ${what}`);
  });
}

/** Every metric and label that alerts and dashboards read comes with a scrape of the service. */
export function metricsCheck(manifests: readonly Manifest[], scrape: Scrape): string[] {
  const expressions = [
    ...alertsOf(manifests).map(({ alert, expr }): [string, string] => [alert ?? '', String(expr)]),
    ...dashboardsOf(manifests).flatMap(({ panels }) =>
      panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr])),
    ),
  ];
  return expressions.flatMap(([name, expression]) =>
    metricUses(expression).flatMap(({ metric, labels }) => {
      if (OF_PROMETHEUS.metrics.includes(metric)) return [];
      const series = scrape.get(metric);
      if (series === undefined) return [`${name}: the service has no metric ${metric}`];
      return Object.entries(labels)
        .filter(([label]) => !OF_PROMETHEUS.labels.includes(label))
        .filter(([label, value]) => !series.some((sample) => sample.labels[label] === value))
        .map(([label, value]) => `${name}: ${metric} never has ${label}="${value}"`);
    }),
  );
}

/** Panels have a title and a number of their own, and every query is one. */
export function dashboardCheck(manifests: readonly Manifest[]): string[] {
  const dashboards = dashboardsOf(manifests);
  if (dashboards.length === 0) return ['no dashboard'];
  return dashboards.flatMap(({ panels }) => {
    const ids = panels.map(({ id }) => id);
    return [
      ...(new Set(ids).size === ids.length ? [] : ['dashboard: two panels with one number']),
      ...panels.filter(({ title }) => !title).map(({ id }) => `dashboard: panel ${id} has no title`),
      ...panels.flatMap(({ title, targets = [] }) =>
        targets.flatMap(({ expr }) => {
          try {
            metricUses(expr);
            return [];
          } catch (error) {
            return [`dashboard, ${title}: ${(error as Error).message}`];
          }
        }),
      ),
    ];
  });
}
