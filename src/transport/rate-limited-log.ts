import type { LoggerService } from '@nestjs/common';

interface Window {
  startedAt: number;
  suppressedCount: number;
}

/**
 * Writes at most one line per reason and period, with the number of lines that were left out since the last one: a peer
 * that misbehaves a thousand times a second does not fill the disk. Reasons are words of ours, never of a peer.
 */
export class RateLimitedLog {
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly logger: Pick<LoggerService, 'warn' | 'error'>,
    private readonly periodMs = 10_000,
    private readonly now: () => number = () => performance.now(),
  ) {}

  warn(reason: string, message: string): void {
    const line = this.line(reason, message);
    if (line !== undefined) this.logger.warn(line);
  }

  error(reason: string, message: string): void {
    const line = this.line(reason, message);
    if (line !== undefined) this.logger.error(line);
  }

  private line(reason: string, message: string): string | undefined {
    const now = this.now();
    const window = this.windows.get(reason);
    if (window !== undefined && now - window.startedAt < this.periodMs) {
      window.suppressedCount++;
      return undefined;
    }
    this.windows.set(reason, { startedAt: now, suppressedCount: 0 });
    const suppressedCount = window?.suppressedCount ?? 0;
    return suppressedCount === 0
      ? `${reason}: ${message}`
      : `${reason}: ${message} (and ${suppressedCount} more like it)`;
  }
}
