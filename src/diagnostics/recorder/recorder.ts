import type { HistorySample } from '../../contract/recorder.schema.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import type { Endpoint } from '../http/endpoint.js';
import type { Activity } from './activity.js';
import { HistoryRing } from './history-ring.js';
import { DEFAULT_INTERVAL_MS, type RecorderOptions } from './recorder.options.js';
import { SampleTaker } from './sample-taker.js';

const PULSE_MS = 1_000;

/** Takes a sample every so often, and keeps what was. Never throws into the application, never keeps the process alive. */
export class Recorder implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [];
  readonly history = new HistoryRing();
  private readonly intervalMs: number;
  private readonly taker: SampleTaker;
  private timer: NodeJS.Timeout | undefined;
  private nextSampleMs = 0;
  private hasFailed = false;

  constructor(
    activity: Activity,
    private readonly log: DiagnosticsLog,
    { intervalMs = DEFAULT_INTERVAL_MS }: RecorderOptions = {},
  ) {
    this.intervalMs = intervalMs;
    this.taker = new SampleTaker(activity);
  }

  start(): void {
    if (this.timer !== undefined) return;
    this.taker.start();
    // The first sample comes with the first pulse: of a process that dies young it is the only one.
    this.nextSampleMs = 0;
    this.timer = uncounted.timers.setInterval(() => this.pulse(), Math.min(PULSE_MS, this.intervalMs));
    this.timer.unref();
  }

  stop(): void {
    uncounted.timers.clearInterval(this.timer);
    this.timer = undefined;
    this.taker.stop();
  }

  private pulse(): void {
    const nowMs = performance.now();
    if (nowMs < this.nextSampleMs) return;
    // A pulse may come a little early.
    this.nextSampleMs = nowMs + this.intervalMs - Math.min(PULSE_MS, this.intervalMs) / 2;
    // After the timers of this turn: the delay histogram learns of a block that ends now only when its own timer has run.
    setImmediate(() => this.sample());
  }

  private sample(): void {
    if (this.timer === undefined) return;
    try {
      this.record(this.taker.take());
      this.hasFailed = false;
    } catch (error) {
      if (this.hasFailed) return;
      this.hasFailed = true;
      this.log.warn(`the recorder cannot take samples: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private record(sample: HistorySample): void {
    this.history.add(sample);
  }
}
