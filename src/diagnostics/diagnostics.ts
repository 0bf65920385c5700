import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Verdict } from '../contract/verdict.schema.js';
import { heapSampling as heapSamplingFor, ledgerCounts, ledgerSnapshot } from '../ledger/index.js';
import type { DiagnosticsLog } from './diagnostics-log.js';
import type { DiagnosticsPart } from './diagnostics-part.js';
import type { DiagnosticsSource } from './diagnostics-source.js';
import { GroupsPart } from './groups/groups.part.js';
import type { HeapSamplingMode } from './heap/heap-lease.js';
import { HistoryPart } from './history/history.part.js';
import { Access } from './http/access.js';
import { DiagnosticsHttp } from './http/diagnostics-http.js';
import type { Endpoint } from './http/endpoint.js';
import { LivePart } from './live/live.part.js';
import { LivesPart } from './lives/lives.part.js';
import { PastLives } from './lives/past-lives.js';
import { RecorderMeasurement } from './measurements/recorder.measurement.js';
import { MetricsPart } from './metrics/metrics.part.js';
import { OpenApiPart } from './openapi/openapi.part.js';
import { PagePart } from './page/page.part.js';
import { profileParts } from './profiles/profile-parts.js';
import { inFlightSum } from './recorder/in-flight-sum.js';
import type { LifeArchive } from './recorder/life-archive.js';
import type { MemoryPressure } from './recorder/memory/memory-watch.js';
import { Recorder } from './recorder/recorder.js';
import { type RecorderOptions, recorderSettings } from './recorder/recorder.options.js';
import { SampleTaker } from './recorder/sample-taker.js';
import { SummaryPart } from './summary/summary.part.js';
import { VerdictsPart } from './verdicts/verdicts.part.js';

/** What the diagnostics of a process are made from, whoever makes them. */
export interface DiagnosticsSetup {
  token?: string | undefined;
  /** False asks for the token from this machine, too. Default true. */
  trustLoopback?: boolean | undefined;
  sources?: readonly DiagnosticsSource[];
  recorder?: RecorderOptions | undefined;
  /** Where the recorder keeps lives besides memory and file. */
  archive?: LifeArchive | undefined;
  heapSampling?: HeapSamplingMode | undefined;
  /** Whether `/metrics` is served beside `/diagnostics/metrics`. Default true. */
  metrics?: boolean | undefined;
  log: DiagnosticsLog;
}

/** The diagnostics of one process: their parts, and the HTTP side that serves them. Knows no framework. */
export class Diagnostics {
  readonly summary: SummaryPart;
  readonly groups = new GroupsPart();
  readonly history: HistoryPart;
  readonly lives: LivesPart;
  readonly verdicts: VerdictsPart;
  private readonly recorder: Recorder;
  private readonly parts: readonly DiagnosticsPart[];
  private readonly http: DiagnosticsHttp;

  /** @throws Error when two sources have one name, or one has a name that cannot be shown; when nobody could be let in */
  constructor(setup: DiagnosticsSetup) {
    const {
      token,
      trustLoopback,
      sources = [],
      recorder: recorderOptions,
      archive,
      heapSampling,
      metrics = true,
      log,
    } = setup;
    const inFlightCount = inFlightSum(sources);
    this.verdicts = new VerdictsPart(log);
    const suspects = (): readonly Verdict[] => this.verdicts.suspects();
    const recorder = new Recorder({
      settings: recorderSettings(recorderOptions),
      inFlightCount,
      suspects,
      archive,
      lookUpPositions: ledgerCounts,
      evidence: { groups: ledgerSnapshot, heap: heapSamplingFor('evidence') },
      log,
    });
    this.recorder = recorder;
    this.summary = new SummaryPart(sources, log, [new RecorderMeasurement(recorder)]);
    const lastSample = () => recorder.history.last();
    const { life, directory } = recorder;
    const past = new PastLives(life, directory, archive);
    this.history = new HistoryPart(recorder.history, life, past);
    this.lives = new LivesPart({ life, past, directory, lastSample, suspects }, log);
    const live = new LivePart(
      { taker: new SampleTaker(inFlightCount), lastSample, verdicts: () => this.verdicts.latest() },
      log,
    );
    // The page first: it takes from the summary the requests of browsers.
    const parts: DiagnosticsPart[] = [
      new PagePart(),
      this.summary,
      this.verdicts,
      this.groups,
      recorder,
      this.history,
      this.lives,
      live,
      ...profileParts(heapSampling),
    ];
    const metricGroups = parts.flatMap((part) => part.metrics ?? []);
    this.parts = [...parts, new MetricsPart(metricGroups, metrics, log), new OpenApiPart(() => this.endpoints)];
    const endpoints = this.parts.flatMap((part) => part.endpoints);
    this.http = new DiagnosticsHttp(endpoints, new Access(token, trustLoopback), log);
  }

  /** What of the memory is over the soft limit; null while nothing is. For readiness checks. */
  get memoryPressure(): MemoryPressure | null {
    return this.recorder.pressure;
  }

  /** All that is served. */
  get endpoints(): readonly Endpoint[] {
    return this.http.endpoints;
  }

  start(): void {
    for (const part of this.parts) part.start?.();
  }

  /** Ends the answers that wait or stream, so that the HTTP server can close. */
  endLongAnswers(): void {
    this.http.endLongAnswers();
  }

  /** Ends everything started. Call it after the HTTP server has closed. */
  async stop(): Promise<void> {
    this.http.endLongAnswers();
    for (const part of [...this.parts].reverse()) await part.stop?.();
  }

  /** Answers the request if its path is one of ours; false when it is not. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse, prefix = ''): Promise<boolean> {
    return this.http.handle(request, response, prefix);
  }

  /** The same for a server that has nothing else to serve: what is not ours is a 404. Never rejects. */
  handleAll(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.http.handleAll(request, response);
  }
}
