import { Logger } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandInput } from '../contract/commands.js';
import type { CommanderClient } from './commander-client.js';

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
const MAX_CALL_MS = 5_000;
const LOG_EVERY_MS = 30_000;
const DEREGISTER_MS = 1_000;

export interface RegistrationSource {
  /** What to register; asked anew each time. */
  describe(): Promise<CommandInput<'agent.register'>>;
  inFlight(): number;
  cancel(runId: string): void;
  /** Sent with whatever is said about this agent. */
  identityKey?: string;
  /** Describe an instance epoch above this one from now on: it is of a process that was there before. */
  outrank(instanceEpoch: number): void;
}

/**
 * Keeps commander knowing this agent: registers, sends heartbeats, registers again after commander forgot it or was away.
 * At most one request is under way and one timer waits.
 */
export class AgentRegistration {
  private readonly logger = new Logger('CommanderAgent');
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private isUnderWay = false;
  private heartbeatEveryMs = MAX_PAUSE_MS;
  private failuresInARow = 0;
  private lastLoggedAt = Number.NEGATIVE_INFINITY;
  private wasRegistered = false;
  private identity: { agentId: string; instanceEpoch: number; identityKey?: string } | undefined;
  /** Whether commander knew this agent when it last answered. */
  isRegistered = false;
  /** Whether commander wants this agent drained: it sends no new runs. */
  isDrainWanted = false;

  constructor(
    private readonly client: CommanderClient,
    private readonly source: RegistrationSource,
  ) {}

  start(): void {
    this.scheduleIn(0);
  }

  /** No further request. Idempotent. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Tells commander that this agent is gone. Never rejects: without the word the lease runs out. */
  async deregister(): Promise<void> {
    this.stop();
    // A registration under way may still arrive; this comes after it on the same connection.
    if (!this.identity || !(this.isRegistered || this.isUnderWay)) return;
    this.isRegistered = false;
    try {
      await this.client.send('agent.deregister', this.identity, { deadlineMs: DEREGISTER_MS });
    } catch (error) {
      this.logger.warn(`commander was not told that this agent is gone: ${(error as Error).message}`);
    }
  }

  private scheduleIn(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.step(), ms);
    this.timer.unref();
  }

  private async step(): Promise<void> {
    this.isUnderWay = true;
    try {
      if (this.isRegistered) await this.heartbeat();
      // Also at once when the heartbeat was answered `unknown`.
      if (!this.isRegistered) await this.register();
      this.failuresInARow = 0;
      this.scheduleIn(this.heartbeatEveryMs * (0.8 + Math.random() * 0.2));
    } catch (error) {
      this.isRegistered = false;
      this.failuresInARow += 1;
      this.tellFailure(error);
      const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.failuresInARow - 1, 10));
      this.scheduleIn(pauseMs * (0.5 + Math.random() / 2));
    } finally {
      this.isUnderWay = false;
    }
  }

  private async register(): Promise<void> {
    const description = await this.source.describe();
    if (this.stopped) return;
    const { agentId, instanceEpoch } = description;
    const { identityKey } = this.source;
    this.identity = { agentId, instanceEpoch, ...(identityKey === undefined ? {} : { identityKey }) };
    const { heartbeatEveryMs } = await this.client
      .send('agent.register', { ...description, ...this.identity }, { deadlineMs: MAX_CALL_MS })
      .catch((error: unknown) => {
        this.outrankPredecessor(error);
        throw error;
      });
    if (this.stopped) return;
    this.heartbeatEveryMs = heartbeatEveryMs;
    this.isRegistered = true;
    this.wasRegistered = true;
    this.lastLoggedAt = Number.NEGATIVE_INFINITY;
    this.logger.log(
      `registered as ${description.agentId}, reachable at ${description.host}:${description.port}, jobs: ${description.capabilities.join(', ') || 'none'}`,
    );
  }

  /**
   * A process that was never registered is newer than any on record: if that one's epoch is larger, its clock was ahead of ours. One
   * that was registered and is refused now has been replaced, and stays out.
   */
  private outrankPredecessor(error: unknown): void {
    const { code, details } = CommandError.fromWire(error);
    if (this.wasRegistered || code !== 'VERSION_CONFLICT') return;
    if (typeof details?.instanceEpoch === 'number') this.source.outrank(details.instanceEpoch);
  }

  private async heartbeat(): Promise<void> {
    const deadlineMs = Math.max(100, Math.min(MAX_CALL_MS, this.heartbeatEveryMs));
    const request = { ...this.identity!, inFlight: this.source.inFlight() };
    const { cancelRunIds, drain, unknown } = await this.client.send('agent.heartbeat', request, { deadlineMs });
    if (drain !== this.isDrainWanted) {
      this.isDrainWanted = drain;
      this.logger.log(drain ? 'commander drains this agent: no new runs' : 'commander sends runs to this agent again');
    }
    for (const runId of cancelRunIds) this.source.cancel(runId);
    if (!unknown) return;
    this.isRegistered = false;
    this.logger.warn('commander does not know this agent any more');
  }

  /** The first of a row, then one line every {@link LOG_EVERY_MS}: commander may be away for hours. */
  private tellFailure(error: unknown): void {
    const now = performance.now();
    if (this.stopped || now - this.lastLoggedAt < LOG_EVERY_MS) return;
    this.lastLoggedAt = now;
    const { code, message } = CommandError.fromWire(error);
    this.logger.warn(`not registered with commander, trying on: ${code} ${message}`);
  }
}
