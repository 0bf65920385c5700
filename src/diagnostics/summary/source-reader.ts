import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import type { Metric } from '../metrics/metric.js';
import { ShownError } from './section-error.js';

/** How long the page waits for its sources, in ms. Longer than readiness waits for a Redis that does not answer: then it is wanted most. */
export const SOURCE_TIMEOUT_MS = 750;
/** Longest answer of one source as JSON, in bytes. */
export const SOURCE_MAX_BYTES = 65_536;

/** Reads one source: in time, as plain JSON, of bounded size, and with one call under way at most. */
export class SourceReader {
  readonly name: string;
  readonly metrics: readonly Metric<unknown>[];
  private underWay: Promise<unknown> | undefined;

  constructor(private readonly source: DiagnosticsSource) {
    this.name = source.name;
    this.metrics = source.metrics ?? [];
  }

  /**
   * Settles within {@link SOURCE_TIMEOUT_MS}.
   * @throws ShownError when the source is late or its answer too long, or whatever the source fails with
   */
  async read(): Promise<unknown> {
    const value = await this.inTime(this.shared());
    // A copy as JSON now: a BigInt or a cycle fails here, in its own section, and not when the page is written.
    const json = JSON.stringify(value) ?? 'null';
    const lengthBytes = Buffer.byteLength(json);
    if (lengthBytes > SOURCE_MAX_BYTES)
      throw new ShownError(`answer of ${lengthBytes} bytes; at most ${SOURCE_MAX_BYTES} are shown`);
    return JSON.parse(json) as unknown;
  }

  /** A source that hangs is waited for by every reader, but called once. */
  private shared(): Promise<unknown> {
    if (this.underWay === undefined) {
      const call = (async () => this.source.read())().finally(() => (this.underWay = undefined));
      // It may fail after its last reader has left.
      call.catch(() => undefined);
      this.underWay = call;
    }
    return this.underWay;
  }

  private async inTime(work: Promise<unknown>): Promise<unknown> {
    const { setTimeout, clearTimeout } = uncounted.timers;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ShownError(`no answer within ${SOURCE_TIMEOUT_MS} ms`)), SOURCE_TIMEOUT_MS);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
