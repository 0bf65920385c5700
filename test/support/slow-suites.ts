/** A suite that takes long. */
export interface SlowSuite {
  /** In a run of the whole suite on two cores. */
  readonly seconds: number;
  /** It waits for most of its time: a third of a core over the whole of it, or less. */
  readonly waits: boolean;
}

const waiting = (seconds: number): SlowSuite => ({ seconds, waits: true });
const computing = (seconds: number): SlowSuite => ({ seconds, waits: false });

/**
 * What a fresh clone knows of the suites: the slow ones begin first, and those that wait run beside those that compute (`lanes.runner.ts`).
 * A suite that is missing here only begins later. To tell which one waits: `/usr/bin/time -f '%e %U %S' npx jest SUITE`.
 */
export const SLOW_SUITES: Readonly<Record<string, SlowSuite>> = {
  'test/k8s/pods.spec.ts': waiting(136),
  'test/k8s/pod-leak.spec.ts': waiting(103),
  'test/page/incident.spec.ts': waiting(82),
  'test/diagnostics/recorder/evidence.spec.ts': waiting(70),
  'test/leaklab/run.spec.ts': waiting(69),
  'test/diagnostics/recorder/redis-lives.spec.ts': waiting(52),
  'test/e2e/cancel-and-timeout.spec.ts': waiting(43),
  'test/k8s/pod-memory.spec.ts': waiting(40),
  'test/diagnostics/verdicts/commander-under-load.spec.ts': computing(112),
  'test/ledger/verdict/simulation.spec.ts': computing(105),
  'test/transport/attacks/attacks.spec.ts': computing(84),
  'test/guarantees/guarantees.spec.ts': computing(79),
  'test/soak/soak.spec.ts': computing(77),
  'test/transport/fuzz.spec.ts': computing(74),
  'test/package/installed.spec.ts': computing(73),
  'test/lifecycle/process.spec.ts': computing(69),
  'test/faults/faults.spec.ts': computing(64),
  'test/ledger/attribution.spec.ts': computing(61),
  'test/page/page.spec.ts': computing(58),
  'test/ledger/heap/heap-leaks.spec.ts': computing(47),
  'test/e2e/policies.spec.ts': computing(35),
  'test/cli/commands.spec.ts': computing(33),
  'test/diagnostics/verdicts/verdicts.spec.ts': computing(31),
  'test/cli/top.spec.ts': computing(30),
  'test/e2e/begin-where-made.spec.ts': computing(30),
  'test/e2e/redis-failover.spec.ts': computing(30),
  'test/e2e/redis-loss.spec.ts': computing(29),
  'test/bootstrap/start.spec.ts': computing(27),
  'test/diagnostics/heap/heap.spec.ts': computing(26),
  'test/e2e/lost-jobs.spec.ts': computing(26),
  'test/agents/registry.spec.ts': computing(25),
  'test/cli/process.spec.ts': computing(25),
  'test/e2e/cancel-previous-order.spec.ts': computing(24),
  'test/e2e/runs.spec.ts': computing(24),
  'test/unit/tick-year.spec.ts': computing(24),
  'test/diagnostics/every-endpoint.spec.ts': computing(24),
};
