/** One value of a metric, with a value for each of its labels. */
export interface MetricValue {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One metric of `/metrics`, taken from what its group has read. */
export interface Metric<Reading> {
  /** Begins with `mu_` and ends with its unit (`_bytes`, `_seconds`, `_ratio`); `_total` after it for a counter. */
  readonly name: string;
  readonly help: string;
  /** A counter never falls while the process lives. */
  readonly type: 'gauge' | 'counter';
  readonly labelNames?: readonly string[];
  /** Null, or no value at all: this system or moment has no such figure. Bounded in number, whatever is alive. */
  values(reading: Reading): number | null | readonly MetricValue[];
}

/** Metrics that are read together, once per scrape. A part of the diagnostics adds its own by `metrics`. */
export interface MetricGroup<Reading = unknown> {
  /** Tells failures apart in the log. */
  readonly name: string;
  /** A throw leaves out the metrics of this group and no others. */
  read(): Reading | Promise<Reading>;
  readonly metrics: readonly Metric<Reading>[];
}

/** Ties the type of what is read to the metrics that take it apart. */
export function metricGroup<Reading>(group: MetricGroup<Reading>): MetricGroup {
  return group as MetricGroup;
}

/** One gauge without labels. */
export function gauge<Reading>(
  name: string,
  help: string,
  value: (reading: Reading) => number | null,
): Metric<Reading> {
  return { name, help, type: 'gauge', values: value };
}

/** One counter without labels. */
export function counter<Reading>(name: string, help: string, value: (reading: Reading) => number): Metric<Reading> {
  return { name, help, type: 'counter', values: value };
}

/** A value for each entry of `values`, told apart by one label; those that are null are left out. */
export function byLabel(label: string, values: Readonly<Record<string, number | null>>): MetricValue[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [{ value, labels: { [label]: name } }],
  );
}
