import { Logger } from '@nestjs/common';
import type { RawRedisClient } from './redis-client.js';

/** A Redis that stays away fails twice a second in every replica; one line in this time says it all. */
const QUIET_MS = 10_000;

/** Logs what happens to a connection: every change for the better, errors at most once in ten seconds. */
export class RedisLog {
  private readonly logger = new Logger('Redis');
  private quietUntil = 0;
  private suppressedCount = 0;
  private failing = false;

  /** Listens for as long as the client lives; a client without an error listener prints stacks of its own. */
  attach(client: RawRedisClient): void {
    client.on('error', (error: Error) => this.failed(error));
    client.on('ready', () => this.ready());
  }

  private failed(error: Error): void {
    this.failing = true;
    const now = Date.now();
    if (now < this.quietUntil) {
      this.suppressedCount += 1;
      return;
    }
    const more = this.suppressedCount === 0 ? '' : ` (and ${this.suppressedCount} errors since the last line)`;
    this.logger.error(`${describe(error)}${more}`);
    this.quietUntil = now + QUIET_MS;
    this.suppressedCount = 0;
  }

  private ready(): void {
    this.logger.log(this.failing ? 'reachable again' : 'connected');
    this.failing = false;
    this.quietUntil = 0;
    this.suppressedCount = 0;
  }
}

function describe(error: Error): string {
  // A connection refused on both IPv6 and IPv4 is an AggregateError without a message.
  if (error.message !== '') return error.message.trim();
  const parts = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return parts.map((part) => (part instanceof Error ? part.message : String(part))).join('; ') || error.name;
}
