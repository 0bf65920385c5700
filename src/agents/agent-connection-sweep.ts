import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AgentConnectionPool } from './agent-connection-pool.js';
import { AgentDirectory } from './agent-directory.js';

const SWEEP_EVERY_MS = 2_000;
const SWEEP_TIMEOUT_MS = 1_000;

/**
 * Looks at the agents of all namespaces in use and closes connections to those that are gone, also while nothing is
 * dispatched that would notice it.
 */
@Injectable()
export class AgentConnectionSweep implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isSweeping = false;

  constructor(
    private readonly pool: AgentConnectionPool,
    private readonly directory: AgentDirectory,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One round; resolves when it is done. A round that overlaps another one does nothing. */
  async sweep(): Promise<void> {
    if (this.isSweeping) return;
    this.isSweeping = true;
    try {
      this.pool.closeIdle();
      for (const namespace of new Set([...this.directory.namespacesInUse(), ...this.pool.namespaces()])) {
        const { now, agents } = await this.directory.agents(namespace, Date.now() + SWEEP_TIMEOUT_MS);
        this.pool.retain(
          namespace,
          agents.filter((agent) => agent.leaseExpiresAt > now),
        );
      }
    } catch {
      // Redis is away: nobody can say who is gone. The next round asks again.
    } finally {
      this.isSweeping = false;
    }
  }
}
