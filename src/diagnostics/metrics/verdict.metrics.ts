import { type Verdict, type Verdicts, verdictStateSchema } from '../../contract/verdict.schema.js';
import { byLabel, gauge, type Metric } from './metric.js';

/** Those that stand by themselves: what another verdict explains is not counted twice. */
const own = ({ verdicts }: Verdicts): Verdict[] => verdicts.filter(({ partOf }) => partOf === undefined);

/** Until the first limit is met by what grows, in seconds; +Inf where none is foretold. */
function secondsToLimit(verdicts: Verdicts): number {
  const etas = own(verdicts).flatMap(({ state, limit }) =>
    (state === 'leaking' || state === 'growing') && limit?.etaMs != null ? [limit.etaMs] : [],
  );
  return Math.min(Infinity, ...etas) / 1_000;
}

/** What the verdicts say, for alerts; the lines are on the page. */
export const verdictMetrics: readonly Metric<Verdicts>[] = [
  {
    name: 'mu_verdicts',
    help: 'Verdicts by state, without those that another one explains.',
    type: 'gauge',
    labelNames: ['state'],
    values: (verdicts) => {
      const count = (wanted: string) => own(verdicts).filter(({ state }) => state === wanted).length;
      return byLabel('state', Object.fromEntries(verdictStateSchema.options.map((state) => [state, count(state)])));
    },
  },
  gauge(
    'mu_limit_eta_seconds',
    'Until the first limit is met, at the present rate of what leaks or grows; +Inf where none is foretold.',
    secondsToLimit,
  ),
];
