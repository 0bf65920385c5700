import { readFileSync } from 'node:fs';

const SAMPLE_EVERY_MS = 20;

/**
 * Looks at the memory of another process all the time. Anonymous pages only: those of the binary and of files can be
 * taken back, and are not in the memory arithmetic of `k8s/README.md`.
 */
export class MemoryWatch {
  /** The most it ever held, in bytes. */
  peakBytes = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.timer = setInterval(() => this.look(), SAMPLE_EVERY_MS);
    this.look();
  }

  /** What it holds now, in bytes. @throws Error when the process is gone */
  now(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kib === undefined) throw new Error(`process ${this.pid} has no memory: it is gone`);
    return Number(kib) * 1_024;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    try {
      this.peakBytes = Math.max(this.peakBytes, this.now());
    } catch {
      // Gone; whoever asks for `now` is told.
      this.stop();
    }
  }
}
