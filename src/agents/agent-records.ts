import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import type { CommandRequest } from '../contract/commands.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { NO_HASH } from '../redis/no-hash.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisGate } from '../redis/redis-gate.js';
import { GatheredScript } from '../redis/gathered-script.js';
import { RedisScript } from '../redis/redis-script.js';
import { acquireLua, type PlaceQuery } from './acquire.lua.js';
import type { PlaceOutcome } from './agent-call.error.js';
import type { AgentEntry } from './agent-entry.js';
import { healthArguments, healthRules, outcomeLetter } from './agent-health.js';
import { AgentKeys } from './agent-keys.js';
import type { RoutedCandidates } from './agent-router.js';
import { deregisterLua } from './deregister.lua.js';
import { drainLua } from './drain.lua.js';
import { heartbeatLua } from './heartbeat.lua.js';
import { outcomesLua } from './outcomes.lua.js';
import { registerLua } from './register.lua.js';
import { type ReleasedPlace, releaseLua } from './release.lua.js';
import { requestCancelLua } from './request-cancel.lua.js';
import { snapshotLua } from './snapshot.lua.js';

/** Outcomes kept of each agent, for `errorRate` and `p95Ms`. */
const KEPT_OUTCOMES = 100;
/** Heartbeats repeat a cancellation this long: one lost reply must not lose it. */
const REPEAT_CANCEL_FOR_MS = 60_000;
const KEPT_CANCELS = 1_000;
/** An agent is forgotten when it was down for so many leases, but not before the minimum. */
const FORGET_AFTER_LEASES = 10;
const FORGET_AFTER_MIN_MS = 600_000;

/** All agents of a namespace at one instant. */
export interface AgentSnapshot {
  /** Redis's clock when it was taken, ms since the epoch. */
  readonly now: number;
  readonly agents: readonly AgentEntry[];
  /** Whose records cannot be read: they are given nothing to do. */
  readonly broken: readonly BrokenRecordError[];
}

/** What an agent's heartbeat brings back. */
export type HeartbeatAnswer = { unknown: true } | { unknown: false; drain: boolean; cancelRunIds: string[] };

/** A place that was taken, or why no candidate gave one. */
export type TakenPlace =
  | { taken: true; agentId: string; host: string; port: number; instanceEpoch: number; takenAt: number }
  | { taken: false; reasons: { agentId: string; reason: string }[] };

/** A place as it was taken. */
export interface PlaceToRelease {
  namespace: string;
  agentId: string;
  instanceEpoch: number;
  runId: string;
  takenAt: number;
}

/** What giving a place back led to. `spared`: would be ejected, but too many already are. */
export type ReleaseEffect =
  { effect: 'released' | 'spared' | 'recovered' } | { effect: 'ejected'; ejectedForMs: number };

const scripts = {
  register: new RedisScript<[string, string]>('agent register', registerLua),
  heartbeat: new RedisScript<string[]>('agent heartbeat', heartbeatLua),
  deregister: new RedisScript<number>('agent deregister', deregisterLua),
  drain: new RedisScript<number>('agent drain', drainLua),
  snapshot: new RedisScript<[string, ...string[][]]>('agent snapshot', snapshotLua),
  outcomes: new RedisScript<string[][]>('agent outcomes', outcomesLua),
  acquire: new RedisScript<string[]>('agent acquire', acquireLua),
  requestCancel: new RedisScript<number>('agent request-cancel', requestCancelLua),
};

/**
 * Everything that is kept of agents, in Redis, so that all replicas see the same. Each method is one script: what it
 * does is done whole or not at all. All of them throw UNAVAILABLE when Redis did not answer by `deadlineAt` (ms since
 * the epoch by this process's clock).
 */
@Injectable()
export class AgentRecords {
  private readonly forgetAfterMs: number;
  /** What a script that gives places back reads behind its own arguments (release.lua.ts). */
  readonly releaseRules: readonly number[];
  private readonly releases: GatheredScript<ReleasedPlace, string[]>;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: AgentKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.forgetAfterMs = Math.max(FORGET_AFTER_LEASES * settings.agentLeaseMs, FORGET_AFTER_MIN_MS);
    this.releaseRules = [KEPT_OUTCOMES, settings.agentLeaseMs + this.forgetAfterMs, ...healthArguments()];
    this.releases = new GatheredScript(gate, 'agent release', releaseLua, keys.all, () => [
      keys.all,
      ...this.releaseRules,
    ]);
  }

  /**
   * Stores a registration and starts its lease. The same process may register again at any time.
   * @returns Redis's clock, ms since the epoch
   * @throws CommandError FORBIDDEN when the id was registered with another key; VERSION_CONFLICT when a newer process of
   * this id is on record; RATE_LIMITED when all MAX_AGENTS of the namespace are up
   */
  async register(request: CommandRequest<'agent.register'>, deadlineAt: number): Promise<number> {
    const { namespace, agentId, instanceEpoch, host, port, capacity, labels, capabilities, version } = request;
    const keys = this.keys.agent(namespace, agentId);
    const [verdict, value] = await this.run(
      scripts.register,
      [this.keys.agents(namespace), keys.record, keys.places, keys.cancels],
      [
        this.keys.agentPrefix(namespace),
        agentId,
        instanceEpoch,
        host,
        port,
        capacity,
        JSON.stringify({ labels, capabilities, version }),
        this.settings.agentLeaseMs,
        this.forgetAfterMs,
        this.settings.maxAgents,
        identityOf(request),
      ],
      deadlineAt,
    );
    if (verdict === 'foreign') throw foreign(agentId);
    if (verdict === 'stale') {
      throw new CommandError('VERSION_CONFLICT', `a newer process of agent ${agentId} is registered`, {
        instanceEpoch: Number(value),
      });
    }
    if (verdict === 'full') {
      throw new CommandError(
        'RATE_LIMITED',
        `namespace ${namespace} has ${this.settings.maxAgents} agents already (MAX_AGENTS)`,
        {
          maxAgents: this.settings.maxAgents,
        },
      );
    }
    return Number(value);
  }

  /**
   * Renews the lease of the process on record; any other process is told that it is unknown.
   * @throws CommandError FORBIDDEN when the agent was registered with another key
   */
  async heartbeat(request: CommandRequest<'agent.heartbeat'>, deadlineAt: number): Promise<HeartbeatAnswer> {
    const { namespace, agentId, instanceEpoch, inFlight } = request;
    const keys = this.keys.agent(namespace, agentId);
    const [verdict, draining, ...cancelRunIds] = await this.run(
      scripts.heartbeat,
      [this.keys.agents(namespace), keys.record, keys.cancels],
      [agentId, instanceEpoch, inFlight, this.settings.agentLeaseMs, this.forgetAfterMs, identityOf(request)],
      deadlineAt,
    );
    if (verdict === 'foreign') throw foreign(agentId);
    if (verdict === 'unknown') return { unknown: true };
    return { unknown: false, drain: draining === '1', cancelRunIds };
  }

  /**
   * Removes an agent and all that is kept of it; false when this process is not the one on record.
   * @throws CommandError FORBIDDEN when the agent was registered with another key
   */
  async deregister(request: CommandRequest<'agent.deregister'>, deadlineAt: number): Promise<boolean> {
    const { namespace, agentId, instanceEpoch } = request;
    const removed = await this.run(
      scripts.deregister,
      [this.keys.agents(namespace), this.keys.agent(namespace, agentId).record],
      [this.keys.agentPrefix(namespace), agentId, instanceEpoch, identityOf(request)],
      deadlineAt,
    );
    if (removed === -1) throw foreign(agentId);
    return removed === 1;
  }

  /** Sets whether an agent takes new runs; until told otherwise or replaced by a new process. False: no such agent. */
  async setDraining(namespace: string, agentId: string, isDraining: boolean, deadlineAt: number): Promise<boolean> {
    const found = await this.run(
      scripts.drain,
      [this.keys.agent(namespace, agentId).record],
      [isDraining ? 1 : 0],
      deadlineAt,
    );
    return found === 1;
  }

  /** Lets the agent's heartbeats ask it to abort a run. False: no such agent. */
  async requestCancel(namespace: string, agentId: string, runId: string, deadlineAt: number): Promise<boolean> {
    const keys = this.keys.agent(namespace, agentId);
    const found = await this.run(
      scripts.requestCancel,
      [keys.record, keys.cancels],
      [runId, REPEAT_CANCEL_FOR_MS, KEPT_CANCELS],
      deadlineAt,
    );
    return found === 1;
  }

  /** Every agent of a namespace that is not forgotten, in no order. */
  async snapshot(namespace: string, deadlineAt: number): Promise<AgentSnapshot> {
    const [now, ...rows] = await this.run(
      scripts.snapshot,
      [this.keys.agents(namespace)],
      [this.keys.agentPrefix(namespace), this.forgetAfterMs],
      deadlineAt,
    );
    const agents: AgentEntry[] = [];
    const broken: BrokenRecordError[] = [];
    for (const entry of rows.map(entryOf)) {
      if (entry instanceof BrokenRecordError) broken.push(entry);
      else agents.push(entry);
    }
    return { now: Number(now), agents, broken };
  }

  /** The last outcomes `letter:durationMs` of some agents, newest first, in the order asked for. */
  async outcomes(namespace: string, agentIds: readonly string[], deadlineAt: number): Promise<string[][]> {
    if (agentIds.length === 0) return [];
    const keys = agentIds.map((agentId) => this.keys.agent(namespace, agentId).outcomes);
    return this.run(scripts.outcomes, keys, [], deadlineAt);
  }

  /** What the script that takes a place at the first fit candidate has to know. */
  placeQuery(namespace: string, candidates: RoutedCandidates, place: string, leaseMs: number): PlaceQuery {
    return {
      agents: this.keys.agents(namespace),
      turns: this.keys.turns(namespace),
      prefix: this.keys.agentPrefix(namespace),
      place,
      leaseMs,
      order: candidates.order,
      bucket: String(candidates.bucket),
      returnPlaces: healthRules.returnPlaces,
      candidates: candidates.candidates.flatMap(({ tier, agentId }) => [tier, agentId]),
    };
  }

  /** Takes a place for `leaseMs` at the first candidate that is fit and has one; checks all anew, whatever a cache said. */
  async acquire(query: PlaceQuery, deadlineAt: number): Promise<TakenPlace> {
    return takenPlace(await this.run(scripts.acquire, [query.agents], [JSON.stringify(query)], deadlineAt));
  }

  /** What the script that gives places back has to know. @param place `runId#epoch` */
  releasedPlace(held: PlaceToRelease, place: string, outcome: PlaceOutcome, durationMs: number): ReleasedPlace {
    return {
      agents: this.keys.agents(held.namespace),
      prefix: this.keys.agentPrefix(held.namespace),
      agentId: held.agentId,
      place,
      runId: held.runId,
      instanceEpoch: String(held.instanceEpoch),
      takenAt: held.takenAt,
      letter: outcomeLetter(outcome) ?? '',
      durationMs: Math.max(0, Math.round(durationMs)),
    };
  }

  /**
   * Gives a place back and lets its outcome count for the agent's health. A second call for the same place changes nothing.
   * Waits for Redis as long as GatheredScript does.
   */
  async release(released: ReleasedPlace): Promise<ReleaseEffect> {
    return releaseEffect(await this.releases.run(released));
  }

  private run<Reply>(
    script: RedisScript<Reply>,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadlineAt: number,
  ): Promise<Reply> {
    return this.gate.run(deadlineAt, (redis: RedisClient) => script.run(redis, keys, args));
  }
}

/** Reads what the script that takes places replies. */
export function takenPlace([verdict, ...values]: readonly string[]): TakenPlace {
  if (verdict !== 'taken') {
    const reasons = [];
    for (let i = 0; i < values.length; i += 2) {
      reasons.push({ agentId: values[i], reason: values[i + 1] });
    }
    return { taken: false, reasons };
  }
  const [agentId, host, port, instanceEpoch, takenAt] = values;
  return {
    taken: true,
    agentId,
    host,
    port: Number(port),
    instanceEpoch: Number(instanceEpoch),
    takenAt: Number(takenAt),
  };
}

/** Reads what the script that gives places back replies. */
export function releaseEffect([effect, value]: readonly string[]): ReleaseEffect {
  if (effect === 'ejected') return { effect, ejectedForMs: Number(value) };
  return { effect: effect as 'released' | 'spared' | 'recovered' };
}

/** What is kept of an agent's key: nobody who reads Redis can speak for the agent. */
function identityOf({ identityKey }: { identityKey?: string }): string {
  return identityKey === undefined ? '' : createHash('sha256').update(identityKey).digest('base64url');
}

function foreign(agentId: string): CommandError {
  return new CommandError('FORBIDDEN', `agent ${agentId} is registered with another identityKey`);
}

function entryOf(row: string[]): AgentEntry | BrokenRecordError {
  const [agentId, lease, taken, epoch, host, port, capacity, description, lastSeenAt, draining, ...rest] = row as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    ...string[],
  ];
  const [reportedInFlight, suspectUntil, ejectedAt, ejections] = rest;
  if (row.length === 1) return new BrokenRecordError('agent', agentId, NO_HASH);
  const described = describedAs(description);
  const numbers = [epoch, port, capacity, lastSeenAt, reportedInFlight, suspectUntil, ejectedAt, ejections];
  if (described === undefined || host === null) {
    return new BrokenRecordError('agent', agentId, 'what it registered with cannot be read');
  }
  if (!numbers.every((text) => /^\d+$/.test(text))) {
    return new BrokenRecordError('agent', agentId, 'one of its numbers is none');
  }
  const { labels, capabilities, version } = described;
  return {
    agentId,
    instanceEpoch: Number(epoch),
    host,
    port: Number(port),
    labels,
    capabilities,
    capacity: Number(capacity),
    version,
    lastSeenAt: Number(lastSeenAt),
    leaseExpiresAt: Number(lease),
    isDraining: draining === '1',
    placesTaken: Number(taken),
    reportedInFlight: Number(reportedInFlight),
    suspectUntil: Number(suspectUntil),
    ejectedAt: Number(ejectedAt),
    ejections: Number(ejections),
  };
}

const descriptionSchema = z.object({
  labels: z.record(z.string(), z.string()),
  capabilities: z.array(z.string()),
  version: z.string(),
});

/** Undefined where it is not as it was stored. */
function describedAs(text: string): z.output<typeof descriptionSchema> | undefined {
  try {
    return descriptionSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
