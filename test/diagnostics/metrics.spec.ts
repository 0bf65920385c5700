import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { register } from 'prom-client';
import { DiagnosticsModule, type DiagnosticsSource } from '../../src/diagnostics/index';
import { SITE_LIMIT } from '../../src/diagnostics/metrics/ledger-groups.metrics';
import { byLabel, gauge, metricGroup } from '../../src/diagnostics/metrics/metric';
import { MetricsRegistry } from '../../src/diagnostics/metrics/metrics-registry';
import { startLedger, stopLedger, trackResource } from '../../src/ledger/index';
import { httpGet } from '../support/http-get';
import { DiagnosticsApp } from './support/diagnostics-app';

interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The text format of Prometheus, strictly: every series below its own HELP and TYPE, no series twice. */
function parsed(text: string): { types: Map<string, string>; series: Series[] } {
  expect(text.endsWith('\n')).toBe(true);
  const types = new Map<string, string>();
  const series: Series[] = [];
  const seen = new Set<string>();
  let current = '';
  for (const line of text.split('\n').filter((any) => any !== '')) {
    const comment = /^# (HELP|TYPE) ([a-z_]\w*) (.+)$/.exec(line);
    if (comment) {
      const [, what, name, rest] = comment;
      if (what === 'HELP') current = name!;
      else types.set(name!, rest!);
      continue;
    }
    const [, name, labelText = '', value] =
      /^([a-z_]\w*)(?:\{((?:[a-z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[\d.e+-]+|\+Inf)$/.exec(line) ?? [];
    expect([line, name]).toEqual([line, current]);
    expect(seen).not.toContain(`${name}{${labelText}}`);
    seen.add(`${name}{${labelText}}`);
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
    ) as Record<string, string>;
    series.push({ name: name!, labels, value: value === '+Inf' ? Infinity : Number(value) });
  }
  return { types, series };
}

const log = { info: () => undefined, warn: () => undefined };

describe('GET /metrics', () => {
  let served: DiagnosticsApp;
  beforeAll(async () => {
    startLedger({ projectRoot: process.cwd() });
    served = await DiagnosticsApp.start();
  });
  afterAll(async () => {
    await served.app.close();
    stopLedger();
  });

  const scrape = async (path = '/metrics') => {
    const answer = await httpGet(served.url(path));
    expect(answer.status).toBe(200);
    return { ...parsed(answer.text), type: answer.headers['content-type'] };
  };

  it('tells what the process is, in base units, each with help and type', async () => {
    const { series, types, type } = await scrape();
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const value = (name: string, labels: Record<string, string> = {}): number => {
      const found = series.filter(
        (one) => one.name === name && Object.entries(labels).every(([key, text]) => one.labels[key] === text),
      );
      expect([name, labels, found.length]).toEqual([name, labels, 1]);
      return found[0]!.value;
    };
    const rss = process.memoryUsage.rss();
    expect(value('mu_memory_rss_bytes')).toBeGreaterThan(rss / 2);
    expect(value('mu_memory_rss_bytes')).toBeLessThan(rss * 2);
    const parts = ['heap', 'array_buffers', 'external', 'native'].map((part) =>
      value('mu_memory_part_bytes', { part }),
    );
    expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBeCloseTo(value('mu_memory_rss_bytes'), -7);
    expect(value('mu_heap_used_bytes')).toBeLessThan(value('mu_heap_limit_bytes'));
    expect(value('mu_heap_space_used_bytes', { space: 'old_space' })).toBeGreaterThan(1e6);
    expect(value('mu_process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1_000, 0);
    expect(value('mu_process_cpu_seconds_total', { mode: 'user' })).toBeGreaterThan(0.1);
    expect(value('mu_gc_collections_total', { kind: 'minor' })).toBeGreaterThanOrEqual(0);
    expect(value('mu_event_loop_utilization_ratio')).toBeLessThanOrEqual(1);
    expect(value('mu_open_fds')).toBeGreaterThan(5);
    expect(value('mu_open_fds')).toBeLessThan(value('mu_open_fds_limit'));
    expect(value('mu_ledger_running')).toBe(1);
    expect(value('mu_scrape_duration_seconds')).toBeGreaterThan(0);
    for (const { name } of series) {
      expect(name).toMatch(/^mu_/);
      expect([name, types.get(name)]).toEqual([name, name.endsWith('_total') ? 'counter' : 'gauge']);
    }
  });

  it('counts by kind, and names the places with the most alive, a bounded number of them', async () => {
    const resources: object[] = [];
    const open = (kind: string, count: number): void => {
      for (let index = 0; index < count; index++) {
        const resource = {};
        resources.push(resource);
        trackResource(kind, resource);
      }
    };
    for (let index = 0; index < 2 * SITE_LIMIT; index++) open(`metrics-kind-${index}`, index + 3);
    const end = trackResource('metrics-closed', resources);
    end();
    const { series } = await scrape('/diagnostics/metrics');
    const find = (name: string, kind: string) =>
      series.find((one) => one.name === name && one.labels['kind'] === kind)?.value;
    expect(find('mu_ledger_live', 'metrics-kind-7')).toBe(10);
    expect(find('mu_ledger_created_total', 'metrics-kind-7')).toBe(10);
    expect(
      ['live', 'created_total', 'closed_total'].map((what) => find(`mu_ledger_${what}`, 'metrics-closed')),
    ).toEqual([0, 1, 1]);
    const sites = series.filter(({ name }) => name === 'mu_ledger_site_live');
    expect(sites).toHaveLength(SITE_LIMIT);
    // Buffers are made by anybody, here, too.
    const [largest] = sites.filter(({ labels }) => labels['kind'] !== 'buffer');
    expect(largest).toMatchObject({
      value: 2 * SITE_LIMIT + 2,
      labels: { kind: `metrics-kind-${2 * SITE_LIMIT - 1}` },
    });
    expect(largest!.labels['site']).toMatch(/^test\/diagnostics\/metrics\.spec\.ts:\d+$/);
    expect(find('mu_ledger_site_live', 'metrics-kind-0')).toBeUndefined();
  });

  it('leaves the default registry of the application alone', async () => {
    await scrape();
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('answers many scrapers at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => scrape()));
    // The first Buffer that is sampled may come in between.
    const names = all.map(({ series }) =>
      [...new Set(series.map(({ name }) => name))].filter((name) => name !== 'mu_ledger_live_bytes'),
    );
    for (const each of names) expect(each).toEqual(names[0]);
  });

  it('is guarded like the rest', async () => {
    for (const path of ['/metrics', '/diagnostics/metrics'])
      expect((await httpGet(served.url(path), { headers: { Host: 'example.org' } })).status).toBe(403);
  });
});

describe('an application with metrics of its own', () => {
  @Controller()
  class OwnMetrics {
    @Get('metrics')
    own(): string {
      return 'own';
    }
  }

  it('keeps /metrics with metrics: false', async () => {
    const AppModule: Type = class {};
    Module({ imports: [DiagnosticsModule.forRoot({ metrics: false })], controllers: [OwnMetrics] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    const base = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
    const [own, ours] = await Promise.all([httpGet(`${base}/metrics`), httpGet(`${base}/diagnostics/metrics`)]);
    await app.close();
    expect(own.text).toBe('own');
    expect(ours.text).toContain('mu_heap_used_bytes');
  });
});

describe('the metrics of a source', () => {
  it('are taken from its answer, and are absent while it fails', async () => {
    let fails = false;
    const shop: DiagnosticsSource<{ ordersCount: number }> = {
      name: 'shop',
      read: () => {
        if (fails) throw new Error('closed');
        return { ordersCount: 7 };
      },
      metrics: [gauge('mu_shop_orders', 'Orders.', ({ ordersCount }) => ordersCount)],
    };
    const served = await DiagnosticsApp.start({ sources: [shop, { name: 'mute', read: () => 1 }] });
    try {
      const orders = async () =>
        parsed((await httpGet(served.url('/metrics'))).text)
          .series.filter(({ name }) => name === 'mu_shop_orders')
          .map(({ value }) => value);
      expect(await orders()).toEqual([7]);
      fails = true;
      expect(await orders()).toEqual([]);
      fails = false;
      expect(await orders()).toEqual([7]);
    } finally {
      await served.app.close();
    }
  });

  it('cannot take the name of another', async () => {
    const shop = { name: 'shop', read: () => 1, metrics: [gauge('mu_heap_used_bytes', 'Mine.', () => 1)] };
    await expect(DiagnosticsApp.start({ sources: [shop] })).rejects.toThrow(/mu_heap_used_bytes/);
  });
});

describe('the metrics that other parts add', () => {
  it('are there, and absent while they cannot be read, with one line in the log', async () => {
    const lines: string[] = [];
    let fails = false;
    const registry = new MetricsRegistry(
      [
        metricGroup({
          name: 'shop',
          read: async () => {
            if (fails) throw new Error('the shop is closed');
            return { orders: 7, byState: { open: 4, paid: 3, lost: null } };
          },
          metrics: [
            gauge('mu_shop_orders', 'Orders.', (reading: { orders: number }) => reading.orders),
            gauge('mu_shop_unknown', 'Nobody knows.', () => null),
            {
              name: 'mu_shop_orders_by_state',
              help: 'Orders by "state".',
              type: 'gauge',
              labelNames: ['state'],
              values: ({ byState }) => byLabel('state', byState),
            },
          ],
        }),
      ],
      { ...log, warn: (line) => lines.push(line) },
    );
    const shown = async () =>
      parsed(await registry.text())
        .series.filter(({ name }) => name.startsWith('mu_shop'))
        .map(({ name, labels, value }) => [name, labels['state'], value]);
    const all = [
      ['mu_shop_orders', undefined, 7],
      ['mu_shop_orders_by_state', 'open', 4],
      ['mu_shop_orders_by_state', 'paid', 3],
    ];
    expect(await shown()).toEqual(all);
    fails = true;
    expect(await shown()).toEqual([]);
    expect(await shown()).toEqual([]);
    expect(lines).toEqual(['metrics of shop: the shop is closed']);
    fails = false;
    expect(await shown()).toEqual(all);
  });

  it.each(['shop_orders', 'mu_Shop', 'mu-shop'])('may not be called %s', (name) => {
    const group = metricGroup({ name: 'shop', read: () => 1, metrics: [gauge(name, 'Orders.', () => 1)] });
    expect(() => new MetricsRegistry([group], log)).toThrow('expected a name like');
  });
});
