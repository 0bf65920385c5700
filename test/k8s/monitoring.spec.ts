import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingPrograms } from '../support/docker/docker-engine.js';
import { attributesCheck } from '../support/manifests/attributes.check.js';
import { renderWithComponent } from '../support/manifests/component.js';
import { hasKubectl, type Manifest, ofKind } from '../support/manifests/manifests.js';
import {
  alertsCheck,
  alertsOf,
  dashboardCheck,
  metricsCheck,
  podMonitorCheck,
} from '../support/manifests/monitoring.check.js';
import { schemaCheck } from '../support/manifests/schema.check.js';
import { readScrape, type Scrape } from '../support/manifests/scrape.js';
import { Pod } from '../support/pod/pod.js';
import { describeWithPods } from '../support/pod/pod-machine.js';
import { podSpec } from '../support/pod/pod-spec.js';
import { RedisServer } from '../support/redis-server.js';

const runbook = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
const available = hasKubectl();
if (!available) console.warn('SKIPPED: no kubectl on this machine, so the component monitoring is not checked.');
const hasPromtool = missingPrograms('promtool').length === 0;
if (!hasPromtool) console.warn('SKIPPED: no promtool (Debian: prometheus), so no alert is tried on made-up figures.');

const monitor = (manifests: Manifest[]): any => manifests.find(({ kind }) => kind === 'PodMonitor');
const rule = (manifests: Manifest[], index = 0): any => alertsOf(manifests)[index];
const dashboard = (manifests: Manifest[]) =>
  ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.labels?.grafana_dashboard === '1')!;

(available ? describe : describe.skip)('component monitoring', () => {
  const rendered = available ? renderWithComponent('production', 'monitoring') : [];
  const checks = {
    schemaCheck,
    attributesCheck,
    podMonitorCheck,
    dashboardCheck,
    alertsCheck: (manifests: readonly Manifest[]) => alertsCheck(manifests, runbook),
  };

  it.each(Object.entries(checks))('passes %s', (_name, check) => {
    expect(check(rendered)).toEqual([]);
  });

  it('is in the namespace of the overlay', () => {
    for (const { kind, metadata } of rendered.filter(({ kind }) => kind !== 'Namespace')) {
      expect([kind, metadata.namespace]).toEqual([kind, 'commander']);
    }
  });

  it.each<[string, (manifests: readonly Manifest[]) => string[], (manifests: Manifest[]) => void, RegExp]>([
    ['no PodMonitor', podMonitorCheck, (m) => m.splice(m.indexOf(monitor(m)), 1), /no PodMonitor/],
    [
      'a PodMonitor of other pods',
      podMonitorCheck,
      (m) => (monitor(m).spec.selector.matchLabels = { app: 'x' }),
      /does not select/,
    ],
    ['another port', podMonitorCheck, (m) => (monitor(m).spec.podMetricsEndpoints[0].port = 'x'), /no port x/],
    ['another path', podMonitorCheck, (m) => (monitor(m).spec.podMetricsEndpoints[0].path = '/m'), /scrapes \/m/],
    [
      'no token',
      podMonitorCheck,
      (m) => delete monitor(m).spec.podMetricsEndpoints[0].authorization,
      /not the token of the pod/,
    ],
    ['no job label', podMonitorCheck, (m) => delete monitor(m).spec.jobLabel, /no jobLabel/],
    ['a field unknown to the operator', schemaCheck, (m) => (monitor(m).spec.podMetricEndpoints = []), /unknown field/],
    ['a wrong duration', schemaCheck, (m) => (rule(m, 1).for = 'two minutes'), /for/],
    ['half an expression', checks.alertsCheck, (m) => (rule(m).expr = 'rate(mu_x[5m]'), /not PromQL/],
    ['no severity', checks.alertsCheck, (m) => delete rule(m).labels, /severity/],
    ['another severity', checks.alertsCheck, (m) => (rule(m).labels.severity = 'page'), /severity page/],
    ['no sentence', checks.alertsCheck, (m) => delete rule(m).annotations.summary, /no summary/],
    [
      'an alert that the runbook does not know',
      checks.alertsCheck,
      (m) => (rule(m).alert = 'X'),
      /X: no runbook entry/,
    ],
    [
      'a panel that asks nonsense',
      dashboardCheck,
      (m) => {
        const { data } = dashboard(m);
        data!['commander.json'] = data!['commander.json']!.replace('sum by (pod) (rate(', 'sum by (pod) ((rate(');
      },
      /dashboard, .*not PromQL/,
    ],
    ['no dashboard', dashboardCheck, (m) => m.splice(m.indexOf(dashboard(m)), 1), /no dashboard/],
  ])('is noticed with %s', (_title, check, damage, finding) => {
    const broken = structuredClone(rendered);
    damage(broken);
    expect(check(broken).join('\n')).toMatch(finding);
  });

  (hasPromtool ? describe : describe.skip)('alerts, by Prometheus itself', () => {
    let directory: string;
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'commander-rules-'));
      const rules = rendered.find(({ kind }) => kind === 'PrometheusRule')!;
      writeFileSync(join(directory, 'rules.json'), JSON.stringify(rules.spec));
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    const MiB = 2 ** 20;
    const LABELS = 'job="mu-commander", pod="commander-1"';
    const limit = { series: `mu_memory_limit_bytes{${LABELS}}`, values: `${192 * MiB}x600` };
    /** Figures of a pod that is well, one a minute for ten hours. */
    const WELL: Record<string, string> = {
      [`up{${LABELS}}`]: '1x600',
      [`mu_process_start_time_seconds{${LABELS}}`]: '1000x600',
      [`mu_memory_rss_bytes{${LABELS}}`]: `${120 * MiB}x600`,
      [limit.series]: limit.values,
      [`mu_heap_used_bytes{${LABELS}}`]: `${50 * MiB}x600`,
      [`mu_heap_limit_bytes{${LABELS}}`]: `${108 * MiB}x600`,
      [`mu_open_fds{${LABELS}}`]: '40x600',
      [`mu_open_fds_limit{${LABELS}}`]: '1024x600',
      [`mu_event_loop_delay_seconds{${LABELS}, stat="p99"}`]: '0.02x600',
      [`mu_verdicts{${LABELS}, state="leaking"}`]: '0x600',
      [`mu_ready{${LABELS}}`]: '1x600',
      // Another pod, which stays well.
      ['mu_ready{job="mu-commander", pod="commander-2"}']: '1x600',
      [`mu_tcp_connections{${LABELS}}`]: '40x600',
      [`mu_tcp_connections_limit{${LABELS}}`]: '80x600',
      [`mu_tcp_connections_refused_total{${LABELS}}`]: '3x600',
      [`mu_queue_runs{${LABELS}, state="waiting"}`]: '5x600',
      // 60 a minute.
      [`mu_runs_dispatched_total{${LABELS}}`]: '0+60x600',
      [`mu_overdue_seconds{${LABELS}}`]: '0.01x600',
      // One that found none for a moment.
      [`mu_runs_without_agent_total{${LABELS}}`]: '2x600',
      [`mu_ticks_total{${LABELS}}`]: '0+100x600',
      [`mu_ticks_late_total{${LABELS}}`]: '0+1x600',
      [`mu_limit_eta_seconds{${LABELS}}`]: Array.from({ length: 120 }, () => 'Inf').join(' '),
    };

    /** Names of the alerts that fire at some minute for these figures in place of the good ones. */
    function firing(minute: number, changed: Record<string, string | undefined>): string[] {
      const series = Object.entries({ ...WELL, ...changed }).flatMap(([name, values]) =>
        values === undefined ? [] : [{ series: name, values }],
      );
      const names = alertsOf(rendered).map(({ alert }) => alert!);
      // All expected to be silent: promtool names those that are not.
      const alert_rule_test = names.map((alertname) => ({ eval_time: `${minute}m`, alertname, exp_alerts: [] }));
      const tests = [{ interval: '1m', input_series: series, alert_rule_test }];
      const file = join(directory, 'test.json');
      writeFileSync(file, JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '1m', tests }));
      try {
        execFileSync('promtool', ['test', 'rules', file], { stdio: 'pipe' });
        return [];
      } catch (error) {
        const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer };
        const output = `${stdout}${stderr}`;
        const found = [...output.matchAll(/alertname: (\w+), time: \w+,\s*exp:\[\s*\],\s*got:\[/g)].map(
          ([, name]) => name!,
        );
        if (found.length === 0) throw new Error(output, { cause: error });
        return names.filter((name) => found.includes(name));
      }
    }

    it('are rules that it takes', () => {
      execFileSync('promtool', ['check', 'rules', join(directory, 'rules.json')], { stdio: 'pipe' });
    });

    it('are silent about a pod that is well', () => {
      expect(firing(300, {})).toEqual([]);
    });

    it.each<[string, number, Record<string, string | undefined>, string[]]>([
      ['a pod that does not answer', 60, { [`up{${LABELS}}`]: '1x50 0x500' }, ['CommanderDown']],
      ['no pod at all', 60, { [`up{${LABELS}}`]: undefined }, ['CommanderAbsent']],
      ['a restart', 60, { [`mu_process_start_time_seconds{${LABELS}}`]: '1000x50 4000x500' }, ['CommanderRestarted']],
      [
        'a pod that is killed again and again',
        70,
        { [`mu_process_start_time_seconds{${LABELS}}`]: '1000x20 2000x12 3000x12 4000x500' },
        ['CommanderRestartsOften'],
      ],
      ['a limit that comes near', 60, { [`mu_limit_eta_seconds{${LABELS}}`]: '3900-60x60' }, ['CommanderLimitSoon']],
      [
        'memory near the limit, but steady',
        60,
        { [`mu_memory_rss_bytes{${LABELS}}`]: `${180 * MiB}x600` },
        ['CommanderNearMemoryLimit'],
      ],
      [
        'a heap that is full after collections',
        60,
        { [`mu_heap_used_bytes{${LABELS}}`]: `${100 * MiB}x600` },
        ['CommanderHeapNearlyFull'],
      ],
      [
        'a heap that is full before collections only',
        60,
        {
          [`mu_heap_used_bytes{${LABELS}}`]: Array.from({ length: 90 }, (_, at) => (at % 3 ? 100 : 40) * MiB).join(' '),
        },
        [],
      ],
      ['descriptors that run out', 60, { [`mu_open_fds{${LABELS}}`]: '900x600' }, ['CommanderFilesNearLimit']],
      [
        'a loop that is late',
        60,
        { [`mu_event_loop_delay_seconds{${LABELS}, stat="p99"}`]: '0.9x600' },
        ['CommanderLoopLate'],
      ],
      ['a verdict', 60, { [`mu_verdicts{${LABELS}, state="leaking"}`]: '0x50 1x500' }, ['CommanderLeaking']],
      ['a pod that takes no work', 60, { [`mu_ready{${LABELS}}`]: '1x50 0x500' }, ['CommanderNotReady']],
      [
        'that no pod takes work',
        60,
        { [`mu_ready{${LABELS}}`]: '1x50 0x500', ['mu_ready{job="mu-commander", pod="commander-2"}']: '1x50 0x500' },
        ['CommanderNoneReady', 'CommanderNotReady'],
      ],
      [
        'connections that run out',
        60,
        { [`mu_tcp_connections{${LABELS}}`]: '75x600' },
        ['CommanderConnectionsNearLimit'],
      ],
      [
        'connections that were refused',
        60,
        { [`mu_tcp_connections_refused_total{${LABELS}}`]: '3x57 9x600' },
        ['CommanderConnectionsRefused'],
      ],
      [
        'more runs than are begun in a minute',
        60,
        { [`mu_queue_runs{${LABELS}, state="waiting"}`]: '5x40 500x600' },
        ['CommanderRunsWait'],
      ],
      [
        'runs that wait while none begins',
        60,
        { [`mu_runs_dispatched_total{${LABELS}}`]: '0+60x40 2400x600' },
        ['CommanderRunsWait'],
      ],
      [
        'no backlog where nothing waits and nothing begins',
        60,
        { [`mu_queue_runs{${LABELS}, state="waiting"}`]: '0x600', [`mu_runs_dispatched_total{${LABELS}}`]: '60x600' },
        [],
      ],
      [
        'no backlog where a burst is worked off within minutes',
        60,
        { [`mu_queue_runs{${LABELS}, state="waiting"}`]: '0x56 500 300 100 0x500' },
        [],
      ],
      [
        'runs that find no agent',
        60,
        { [`mu_runs_without_agent_total{${LABELS}}`]: '2x40 2+30x500' },
        ['CommanderNoAgent'],
      ],
      ['what nobody claims', 60, { [`mu_overdue_seconds{${LABELS}}`]: '0x50 1+60x500' }, ['CommanderOverdue']],
      ['late ticks', 60, { [`mu_ticks_late_total{${LABELS}}`]: '0+10x600' }, ['CommanderTicksLate']],
    ])('tell %s', (_title, minute, changed, expected) => {
      expect(firing(minute, changed)).toEqual(expected);
    });
  });
});

describeWithPods('what alerts and dashboards read', () => {
  const rendered = renderWithComponent('dev', 'monitoring');
  let redis: RedisServer;
  let pod: Pod;
  let scrape: Scrape;
  beforeAll(async () => {
    redis = await RedisServer.start();
    pod = Pod.create(podSpec(rendered), { env: { REDIS_URL: redis.url } });
    await pod.ready();
    const { status, text } = await pod.get('/metrics');
    expect(status).toBe(200);
    scrape = readScrape(text);
  }, 90_000);
  afterAll(async () => {
    await pod.delete();
    await redis.stop();
  }, 60_000);

  it('comes with a scrape of the service', () => {
    expect(metricsCheck(rendered, scrape)).toEqual([]);
  });

  it('is noticed when it does not', () => {
    const without = new Map([...scrape].filter(([metric]) => metric !== 'mu_memory_rss_bytes'));
    expect(metricsCheck(rendered, without).join('\n')).toMatch(
      /CommanderNearMemoryLimit: the service has no metric mu_memory_rss_bytes/,
    );
    const otherwise = new Map([
      ...scrape,
      ['mu_event_loop_delay_seconds', [{ labels: { stat: 'p42' }, value: 0 }]],
    ] as const);
    expect(metricsCheck(rendered, otherwise as Scrape).join('\n')).toMatch(
      /CommanderLoopLate: .* never has stat="p99"/,
    );
  });

  it('is given to those alone who know the token', async () => {
    expect((await pod.get('/metrics', { Authorization: 'Bearer wrong', 'X-Forwarded-For': '10.0.0.1' })).status).toBe(
      401,
    );
  });
});
