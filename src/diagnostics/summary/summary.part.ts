/*
 * endpoint              parameter  values      unit  cost
 * GET /diagnostics      format     json, text  –     one read of every section, see docs/diagnostics.md
 * GET /diagnostics.json –          –           –     the same
 *
 * Without `format` the answer is JSON. A parameter or value that is not in this table is refused with 400.
 */
import { z } from 'zod';
import {
  type DiagnosticsSection,
  type DiagnosticsSectionName,
  diagnosticsSummarySchema,
  type DiagnosticsSummary,
} from '../../contract/diagnostics.schema.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText } from '../http/http-query.js';
import type { Measurement } from '../measurement.js';
import { type MetricGroup, metricGroup } from '../metrics/metric.js';
import { standardMetrics } from '../metrics/standard-metrics.js';
import { rounded } from '../rounding.js';
import { sectionError } from './section-error.js';
import { SourceReader } from './source-reader.js';
import { standardMeasurements } from './standard-measurements.js';
import { summaryText } from './summary-text.js';

const SOURCE_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;

/** Reads every measurement and source into one answer. A section that fails says so in its place; the rest stands. */
export class SummaryPart implements DiagnosticsPart {
  private readonly measurements: readonly Measurement[];
  private readonly sources: SourceReader[];
  /** Sections that failed at their last read: a failure is logged when it begins, not with every read. */
  private readonly failing = new Set<string>();

  /**
   * @param further sections besides those that every process has
   * @throws Error when two sources have one name, or one has a name that cannot be shown
   */
  constructor(
    sources: readonly DiagnosticsSource[],
    private readonly log: DiagnosticsLog,
    further: readonly Measurement[] = [],
  ) {
    this.measurements = [...standardMeasurements(), ...further];
    const names = new Set<string>();
    for (const { name } of sources) {
      if (!SOURCE_NAME.test(name))
        throw new Error(`diagnostics source ${JSON.stringify(name)}: expected a name like "tcp-server"`);
      if (names.has(name)) throw new Error(`diagnostics source "${name}" is there twice`);
      names.add(name);
    }
    this.sources = sources.map((source) => new SourceReader(source));
  }

  get endpoints(): readonly Endpoint[] {
    const answers = { 'application/json': diagnosticsSummarySchema, 'text/plain': null };
    const summary = 'Memory, heap, descriptors, event loop, collections, and what the modules say of themselves.';
    return [
      endpoint({
        method: 'GET',
        path: '/diagnostics',
        summary,
        query: z.strictObject({ format: formatSchema }),
        answers,
        answer: async ({ query: { format } }) => {
          const read = await this.read();
          return jsonOrText(format, read, () => summaryText(read));
        },
      }),
      endpoint({
        method: 'GET',
        path: '/diagnostics.json',
        summary,
        query: z.strictObject({}),
        answers: { 'application/json': diagnosticsSummarySchema },
        answer: async () => jsonOrText('json', await this.read(), String),
      }),
    ];
  }

  start(): void {
    for (const measurement of this.measurements) this.guarded(measurement.name, () => measurement.start?.());
  }

  stop(): void {
    for (const measurement of this.measurements) this.guarded(measurement.name, () => measurement.stop?.());
  }

  /** What the metrics take from the same measurements and sources. */
  get metrics(): readonly MetricGroup[] {
    const ofSources = this.sources
      .filter(({ metrics }) => metrics.length > 0)
      .map((source) =>
        metricGroup({ name: `sources.${source.name}`, read: () => source.read(), metrics: source.metrics }),
      );
    const ofProcess = standardMetrics(<Name extends DiagnosticsSectionName>(name: Name) => {
      const measurement = this.measurements.find((known) => known.name === name)!;
      return measurement.read() as DiagnosticsSection<Name>;
    });
    return [...ofProcess, ...ofSources];
  }

  /** Never rejects. Takes no longer than the deadline of a source. */
  async read(): Promise<DiagnosticsSummary> {
    const startedMs = performance.now();
    const takenAt = Date.now();
    // Sources first: what they wait for runs while the measurements are taken.
    const sourcesRead = this.sources.map((source) => this.readSource(source));
    const sections = Object.fromEntries(
      this.measurements.map((measurement) => [
        measurement.name,
        this.guarded(measurement.name, () => measurement.read()),
      ]),
    );
    const sources = Object.fromEntries(await Promise.all(sourcesRead));
    return { takenAt, readMs: rounded(performance.now() - startedMs), ...sections, sources } as DiagnosticsSummary;
  }

  private guarded(name: string, work: () => unknown): unknown {
    try {
      const value = work();
      this.failing.delete(name);
      return value;
    } catch (error) {
      return this.failed(name, error);
    }
  }

  private async readSource(source: SourceReader): Promise<[string, unknown]> {
    const section = `sources.${source.name}`;
    try {
      const value = await source.read();
      this.failing.delete(section);
      return [source.name, value];
    } catch (error) {
      return [source.name, this.failed(section, error)];
    }
  }

  private failed(section: string, error: unknown) {
    if (!this.failing.has(section)) {
      this.failing.add(section);
      this.log.warn(`${section} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    return sectionError(error);
  }
}
