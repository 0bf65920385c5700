import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { REDIS, type RedisClient } from './redis-client.js';
import { RedisGate } from './redis-gate.js';
import { RedisKeys } from './redis-keys.js';
import { RedisScript } from './redis-script.js';

const REFRESH_EVERY_MS = 10_000;
const ROUND_TRIPS = 5;
const SYNC_TIMEOUT_MS = 2_000;

/** A script, not the TIME command: of a cluster it must be the node that keeps our keys. */
const timeScript = new RedisScript<[string, string]>('clock.time', "return redis.call('TIME')");

/**
 * The time of Redis, so that timers of all replicas are armed by one clock. Only an estimate (half a round trip off at
 * most): what is due is decided by Lua scripts, which read the time where the records are.
 */
@Injectable()
export class RedisClock implements OnApplicationBootstrap, OnApplicationShutdown {
  private offset = 0;
  private timer: NodeJS.Timeout | undefined;
  private syncing: Promise<void> | undefined;

  constructor(
    @Inject(REDIS) private readonly client: RedisClient,
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
  ) {}

  /** Milliseconds since the epoch by the clock of Redis; by this machine's clock until Redis was heard. */
  now(): number {
    return Date.now() + this.offset;
  }

  /** How far Redis is ahead of this machine, in ms; 0 until it was heard. */
  get offsetMs(): number {
    return this.offset;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(this.refresh, REFRESH_EVERY_MS);
    this.timer.unref();
    // After a failover another machine tells the time.
    this.client.on('ready', this.refresh);
    this.refresh();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.client.off('ready', this.refresh);
  }

  /** Asks Redis for its time now. Keeps the last estimate and resolves when Redis does not answer in two seconds. */
  async sync(): Promise<void> {
    this.syncing ??= this.measure().finally(() => {
      this.syncing = undefined;
    });
    return this.syncing;
  }

  private readonly refresh = () => {
    // Not ready: the 'ready' event will ask. Asking now would only wait for it.
    if (this.client.status === 'ready') void this.sync();
  };

  private async measure(): Promise<void> {
    const deadlineAt = Date.now() + SYNC_TIMEOUT_MS;
    const offsets: number[] = [];
    try {
      for (let trip = 0; trip < ROUND_TRIPS; trip += 1) {
        offsets.push(await this.gate.run(deadlineAt, (redis) => this.roundTrip(redis)));
      }
    } catch {
      // Redis is away: RedisLog says so. What was measured before still counts.
    }
    if (offsets.length === 0) return;
    offsets.sort((a, b) => a - b);
    this.offset = Math.round(offsets[Math.floor(offsets.length / 2)]);
  }

  private async roundTrip(redis: RedisClient): Promise<number> {
    const sentAt = performance.now();
    const [seconds, microseconds] = await timeScript.run(redis, [this.keys.key('clock')], []);
    const halfTripMs = (performance.now() - sentAt) / 2;
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000 + halfTripMs - Date.now();
  }
}
