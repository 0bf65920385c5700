import { parser } from '@prometheus-io/lezer-promql';

/** A metric that an expression reads, with the labels that it wants (only those named exactly). */
export interface MetricUse {
  metric: string;
  labels: Record<string, string>;
}

/** What an expression of PromQL reads. @throws Error when it is none, with the place of the first mistake */
export function metricUses(expression: string): MetricUse[] {
  const uses: MetricUse[] = [];
  let label = '';
  let operator = '';
  parser.parse(expression).iterate({
    enter: ({ name, from, to, type }) => {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at character ${from}: ${expression}`);
      if (name === 'VectorSelector') uses.push({ metric: '', labels: {} });
      if (name === 'Identifier') uses.at(-1)!.metric = text;
      if (name === 'LabelName') label = text;
      if (name === 'MatchOp') operator = text;
      if (name === 'StringLiteral' && operator === '=' && uses.length > 0) {
        uses.at(-1)!.labels[label] = text.slice(1, -1);
        operator = '';
      }
    },
  });
  if (uses.length === 0) throw new Error(`reads no metric: ${expression}`);
  return uses;
}
