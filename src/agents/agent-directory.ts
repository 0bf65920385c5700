import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import { agentState } from './agent-entry.js';
import { AgentRecords, type AgentSnapshot } from './agent-records.js';

/** How old a look at the agents may be. Places are checked anew when taken; this only bounds who is asked. */
const FRESH_FOR_MS = 500;
/** Namespaces held at once; the one unused for longest makes room. */
const MAX_NAMESPACES = 200;

interface CachedNamespace {
  snapshot?: AgentSnapshot;
  /** performance.now() when the snapshot was asked for. */
  askedAt: number;
  /** Grows with each invalidation: an answer to a question from before it is old on arrival. */
  generation: number;
  loading?: Promise<AgentSnapshot>;
}

/** The agents of the namespaces in use, as of half a second ago at most, so that a dispatch needs no read of its own. */
@Injectable()
export class AgentDirectory {
  /** In order of last use, the least recent first. */
  private readonly namespaces = new Map<string, CachedNamespace>();
  /** The last one of them. */
  private latest: { namespace: string; cached: CachedNamespace } | undefined;

  constructor(
    private readonly records: AgentRecords,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * The agents of a namespace; `now` is Redis's clock as it stands now.
   * @param maxAgeMs how old the look may be
   * @throws CommandError UNAVAILABLE when Redis did not answer by `deadlineAt`
   */
  async agents(namespace: string, deadlineAt: number, maxAgeMs = FRESH_FOR_MS): Promise<AgentSnapshot> {
    const known = this.known(namespace, maxAgeMs);
    if (known !== undefined) return known;
    const cached = this.entry(namespace);
    cached.loading ??= this.load(namespace, cached);
    return byDeadline(cached.loading, deadlineAt);
  }

  /** As {@link agents}, if they need not be read: who asks for each of thousands of runs spares a promise. */
  known(namespace: string, maxAgeMs = FRESH_FOR_MS): AgentSnapshot | undefined {
    const cached = this.entry(namespace);
    if (!cached.snapshot || performance.now() - cached.askedAt > maxAgeMs) return undefined;
    return aged(cached.snapshot, cached.askedAt);
  }

  /** Makes the next look read again: something was changed that this replica knows of. */
  invalidate(namespace: string): void {
    const cached = this.namespaces.get(namespace);
    if (!cached) return;
    cached.generation += 1;
    cached.askedAt = -Infinity;
    cached.loading = undefined;
  }

  /** Namespaces that somebody asked about and that have agents. */
  namespacesInUse(): string[] {
    return [...this.namespaces.keys()];
  }

  /** Agents that are not down, over all cached namespaces. */
  knownCount(): number {
    let count = 0;
    for (const { snapshot, askedAt } of this.namespaces.values()) {
      if (!snapshot) continue;
      const now = Number.isFinite(askedAt) ? aged(snapshot, askedAt).now : snapshot.now;
      count += snapshot.agents.filter((agent) => agentState(agent, now) !== 'down').length;
    }
    return count;
  }

  private entry(namespace: string): CachedNamespace {
    if (this.latest?.namespace === namespace) return this.latest.cached;
    const cached = this.namespaces.get(namespace) ?? { askedAt: -Infinity, generation: 0 };
    this.namespaces.delete(namespace);
    this.namespaces.set(namespace, cached);
    if (this.namespaces.size > MAX_NAMESPACES) {
      const [oldest] = this.namespaces.keys();
      this.namespaces.delete(oldest as string);
    }
    this.latest = { namespace, cached };
    return cached;
  }

  private async load(namespace: string, cached: CachedNamespace): Promise<AgentSnapshot> {
    const { generation } = cached;
    const askedAt = performance.now();
    try {
      // Shared by all who wait, each with a deadline of its own; so it does not end with the first one's.
      const snapshot = await this.records.snapshot(namespace, Date.now() + this.settings.commandTimeoutMs);
      if (generation === cached.generation) {
        cached.snapshot = snapshot;
        cached.askedAt = askedAt;
      }
      return snapshot;
    } finally {
      if (generation === cached.generation) cached.loading = undefined;
      if (cached.snapshot?.agents.length === 0 && this.namespaces.get(namespace) === cached) {
        // An empty namespace is cheap to ask about and may be nothing but a caller's slip.
        this.namespaces.delete(namespace);
        if (this.latest?.namespace === namespace) this.latest = undefined;
      }
    }
  }
}

function aged(snapshot: AgentSnapshot, askedAt: number): AgentSnapshot {
  return { ...snapshot, now: snapshot.now + Math.round(performance.now() - askedAt) };
}

async function byDeadline<T>(work: Promise<T>, deadlineAt: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new CommandError('UNAVAILABLE', 'Redis did not answer in time')),
      Math.min(Math.max(0, deadlineAt - Date.now()), 2 ** 31 - 1),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
