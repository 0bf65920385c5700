import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { AgentExecuteRequest } from '../contract/agent.schema.js';
import { AgentCallError, type PlaceOutcome } from './agent-call.error.js';
import type { AgentConnectionPool } from './agent-connection-pool.js';
import type { AgentTarget, CallOptions } from './agent-connection.js';
import type { AgentDirectory } from './agent-directory.js';
import { type AgentRecords, type ReleaseEffect, releaseEffect } from './agent-records.js';
import type { ReleasedPlace } from './release.lua.js';

/** The agent is told a little less than we wait: its word that time is up must arrive before we call it silent. */
const ANSWER_GRACE_MS = 250;
const ANSWER_GRACE_SHARE = 0.1;
/** How long a place is offered back to a Redis that is away; then it falls back by its lease. */
const RELEASE_TIMEOUT_MS = 10_000;
const RELEASE_PAUSE_MS = 100;

/** What identifies a place that was taken. */
export interface HeldPlace extends AgentTarget {
  runId: string;
  epoch: number;
  /** Redis's clock, ms since the epoch. */
  takenAt: number;
}

const logger = new Logger('Agents');

/** A place at an agent, taken for one attempt of one run. Whoever got it must release it, however the attempt ended. */
export class AgentPlace {
  private released: Promise<void> | undefined;

  constructor(
    private readonly held: HeldPlace,
    private readonly pool: AgentConnectionPool,
    private readonly records: AgentRecords,
    private readonly directory: AgentDirectory,
  ) {}

  get agentId(): string {
    return this.held.agentId;
  }

  /**
   * Lets the agent execute the job. It gets the smaller of `request.deadlineMs` and the time left, less a little for its
   * answer. `stop` ends the wait only; to end the work too, AgentsService.cancel.
   * @returns the handler's result, a JSON value
   * @throws AgentCallError; its `outcome` is what `release` wants
   */
  async execute(request: AgentExecuteRequest, options: CallOptions): Promise<unknown> {
    const leftMs = options.deadlineAt - Date.now();
    const deadlineMs = Math.floor(leftMs - Math.min(ANSWER_GRACE_MS, leftMs * ANSWER_GRACE_SHARE));
    // Field by field: a copy of the whole costs as much as to send it. What is undefined does not travel.
    const data: AgentExecuteRequest = {
      runId: request.runId,
      job: request.job,
      attempt: request.attempt,
      epoch: request.epoch,
      idempotencyKey: request.idempotencyKey,
      deadlineMs: Math.max(1, Math.min(request.deadlineMs, deadlineMs)),
      scheduleId: request.scheduleId,
      tickAt: request.tickAt,
      shard: request.shard,
    };
    const response = await this.pool.call(this.held, 'agent.execute', data, options);
    if (isResult(response)) return response.result;
    throw new AgentCallError('protocol', 'UNAVAILABLE', `agent ${this.agentId} answered without a result`);
  }

  /**
   * Gives the place back; the outcome counts for the agent's health. The first call counts, later ones wait for it.
   * Never throws: a place that could not be given back falls back by its lease.
   */
  release(outcome: PlaceOutcome, durationMs: number): Promise<void> {
    this.released ??= this.giveBack(outcome, durationMs);
    return this.released;
  }

  /**
   * The place, for a script that gives it back and does something else in the same step, for whom a place that was given back twice is no
   * matter. Until {@link releasedWith} it is still to be released.
   */
  toRelease(outcome: PlaceOutcome, durationMs: number): ReleasedPlace {
    return this.records.releasedPlace(this.held, placeName(this.held.runId, this.held.epoch), outcome, durationMs);
  }

  /** Such a script has given it back. @param reply what releasePlaceLua said */
  releasedWith(reply: readonly string[]): void {
    this.released ??= Promise.resolve();
    const [verdict, why] = reply;
    if (verdict === 'failed') this.warnOfLoss(why);
    else if (verdict !== 'released') this.tell(releaseEffect(reply));
  }

  /** Again while Redis is away: a second time changes nothing. */
  private async offerBack(place: ReleasedPlace): Promise<ReleaseEffect> {
    const deadlineAt = Date.now() + RELEASE_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.records.release(place);
      } catch (error) {
        if (Date.now() + RELEASE_PAUSE_MS >= deadlineAt) throw error;
        await sleep(RELEASE_PAUSE_MS, undefined, { ref: false });
      }
    }
  }

  private async giveBack(outcome: PlaceOutcome, durationMs: number): Promise<void> {
    try {
      this.tell(await this.offerBack(this.toRelease(outcome, durationMs)));
    } catch (error) {
      this.warnOfLoss((error as Error).message);
    }
  }

  private warnOfLoss(why: string): void {
    const { agentId, runId } = this.held;
    logger.warn(`place of run ${runId} at agent ${agentId} was not given back: ${why}`);
  }

  private tell(released: ReleaseEffect): void {
    const { namespace, agentId } = this.held;
    switch (released.effect) {
      case 'ejected':
        this.directory.invalidate(namespace);
        logger.warn(`agent ${agentId} (${namespace}) is ejected for ${released.ejectedForMs} ms after repeated errors`);
        break;
      case 'spared':
        logger.warn(`agent ${agentId} (${namespace}) keeps failing; not ejected, because half of the agents are`);
        break;
      case 'recovered':
        logger.log(`agent ${agentId} (${namespace}) has recovered`);
        break;
    }
  }
}

/** The member that stands for a run's attempt among the places of an agent. */
export function placeName(runId: string, epoch: number): string {
  return `${runId}#${epoch}`;
}

function isResult(response: unknown): response is { result: unknown } {
  return typeof response === 'object' && response !== null && Object.hasOwn(response, 'result');
}
