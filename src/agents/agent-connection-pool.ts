import { Inject, Injectable, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { DeadlineWheel } from '../deadlines/deadline-wheel.js';
import { AgentCallError } from './agent-call.error.js';
import { AgentTls } from './agent-tls.js';
import { AgentConnection, type AgentConnectionLimits, type AgentTarget, type CallOptions } from './agent-connection.js';

/** A connection nobody used for this long is closed; the next call dials again. */
export const IDLE_CLOSE_AFTER_MS = 300_000;
/** How long closing may take when an agent does not read what was written to it. */
const CLOSE_TIMEOUT_MS = 1_000;
/** What a packet may add around the result. */
const ENVELOPE_LENGTH = 4_096;
const ENVELOPE_DEPTH = 2;
/** Calls to agents take seconds, and as long as one is under way this timer runs. */
const DEADLINE_TICK_MS = 50;

/**
 * One connection per known agent process, dialled when first needed and shared by all calls. A connection goes when its
 * agent goes: on deregistration, a lapsed lease, a new process or address, a long idle time, or its own end.
 */
@Injectable()
export class AgentConnectionPool implements OnApplicationShutdown {
  private readonly limits: AgentConnectionLimits;
  /** `namespace:agentId` → the connection that new calls use. */
  private readonly current = new Map<string, AgentConnection>();
  /** Every socket that is not closed yet, also of those that only finish their calls. */
  private readonly open = new Set<AgentConnection>();
  private readonly deadlines = new DeadlineWheel(DEADLINE_TICK_MS);
  private dialledCount = 0;
  private isClosed = false;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Optional() private readonly tls?: AgentTls,
  ) {
    const { agentToken, commanderToken, commanderTokensFile } = settings;
    this.limits = {
      connectTimeoutMs: settings.agentConnectTimeoutMs,
      maxFrameLength: settings.maxResultBytes + ENVELOPE_LENGTH,
      maxDepth: settings.maxJsonDepth + ENVELOPE_DEPTH,
      maxSendBufferBytes: settings.maxSendBufferBytes,
      // Whoever may register under a token of the file is no one to be shown the token that opens everything.
      token: agentToken ?? (commanderTokensFile === undefined ? commanderToken : undefined),
    };
  }

  /**
   * Sends a request over the agent's connection and waits for its answer.
   * @throws AgentCallError
   */
  call(target: AgentTarget, pattern: string, data: unknown, options: CallOptions): Promise<unknown> {
    try {
      return this.connection(target).call(pattern, data, options);
    } catch (error) {
      return Promise.reject(error as AgentCallError);
    }
  }

  /** Namespaces that have a connection. */
  namespaces(): string[] {
    return [...new Set([...this.current.values()].map(({ target }) => target.namespace))];
  }

  /** Lets connections of a namespace go whose agent is not among `live` any more, or is another process or elsewhere now. */
  retain(namespace: string, live: readonly Omit<AgentTarget, 'namespace'>[]): void {
    const byId = new Map(live.map((agent) => [agent.agentId, agent]));
    for (const [key, connection] of this.current) {
      const { target } = connection;
      if (target.namespace !== namespace) continue;
      const agent = byId.get(target.agentId);
      // A connection to a newer process than the list knows of: the list is old, not the connection.
      if (agent && (sameProcess(target, agent) || target.instanceEpoch > agent.instanceEpoch)) continue;
      this.retire(key, connection);
    }
  }

  /** Lets the connection of one agent go. Calls under way may finish. */
  drop(namespace: string, agentId: string): void {
    const key = keyOf(namespace, agentId);
    const connection = this.current.get(key);
    if (connection) this.retire(key, connection);
  }

  /** Closes connections that nobody used for `idleMs`. */
  closeIdle(idleMs: number = IDLE_CLOSE_AFTER_MS): void {
    const usedBefore = performance.now() - idleMs;
    for (const [key, connection] of this.current) {
      if (connection.pendingCount === 0 && connection.lastUsedAt <= usedBefore) this.retire(key, connection);
    }
  }

  /** Sockets open or being opened, dials since the start, and calls that wait for an answer. */
  stats(): { connectionCount: number; dialledCount: number; pendingCount: number } {
    let pendingCount = 0;
    for (const connection of this.open) pendingCount += connection.pendingCount;
    return { connectionCount: this.open.size, dialledCount: this.dialledCount, pendingCount };
  }

  /** Runs have drained by now; whatever is left gets its error at once. */
  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.open].map((connection) => connection.close(CLOSE_TIMEOUT_MS)));
    this.deadlines.close();
  }

  private connection(target: AgentTarget): AgentConnection {
    if (this.isClosed) throw unreachable(target, 'this replica is shutting down');
    const key = keyOf(target.namespace, target.agentId);
    const existing = this.current.get(key);
    if (existing?.isUsable) {
      if (sameProcess(existing.target, target)) return existing;
      if (existing.target.instanceEpoch > target.instanceEpoch) {
        throw unreachable(target, 'a newer process has taken its place');
      }
    }
    if (existing) this.retire(key, existing);
    return this.dial(key, target);
  }

  private dial(key: string, target: AgentTarget): AgentConnection {
    const connection = new AgentConnection(target, this.limits, this.deadlines, this.tls?.optionsFor(target.agentId));
    this.dialledCount += 1;
    this.open.add(connection);
    this.current.set(key, connection);
    void connection.closed.then(() => {
      this.open.delete(connection);
      if (this.current.get(key) === connection) this.current.delete(key);
    });
    return connection;
  }

  private retire(key: string, connection: AgentConnection): void {
    this.current.delete(key);
    connection.retire();
  }
}

function keyOf(namespace: string, agentId: string): string {
  return `${namespace}:${agentId}`;
}

function sameProcess(a: Omit<AgentTarget, 'namespace'>, b: Omit<AgentTarget, 'namespace'>): boolean {
  return a.instanceEpoch === b.instanceEpoch && a.host === b.host && a.port === b.port;
}

function unreachable({ agentId }: AgentTarget, why: string): AgentCallError {
  return new AgentCallError('unreachable', 'UNAVAILABLE', `agent ${agentId} cannot be reached: ${why}`);
}
