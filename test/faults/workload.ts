import { setTimeout as sleep } from 'node:timers/promises';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import type { MixedSchedule } from '../guarantees/schedule-mix.js';
import { type SeededRandom } from '../guarantees/seeded-random.js';
import { CommandAccount } from './command-account.js';
import type { FaultFleet } from './fault-fleet.js';

export const DEADLINE_MS = 2_000;
const CALLERS_PER_COMMANDER = 2;
const CALL_PAUSE_MS = 30;
const LONG_RUNS_COUNT = 9;
/** A run under way is repeated elsewhere until it succeeds. */
const persistent = { retry: { maxAttempts: 6, delayMs: 200, maxDelayMs: 500 }, timeoutMs: 8_000 };

/** Schedules that are declared for their own sake are not due while they are there. */
const FAR_OFF = '2090-01-01T00:00:00Z';

const quick = { name: 'work', payload: { ms: [0, 20] } };

/** Schedules of every policy that decides what becomes of late due times. */
export const dueSchedules: MixedSchedule[] = [
  ...['all', 'once', 'skip'].map((misfire) => ({ kind: `misfire ${misfire}`, everyMs: 250, misfire, job: quick })),
  { kind: 'cron', cron: '* * * * * *', misfire: 'all', job: quick },
  { kind: 'short catch-up', everyMs: 500, misfire: 'all', catchupWindowMs: 4_000, job: quick },
  ...['skip', 'buffer-one', 'cancel-previous'].map((overlap) => ({
    ...{ kind: `overlap ${overlap}`, everyMs: 1_000, misfire: 'all', overlap },
    job: { name: 'work', payload: { ms: [600, 1_400] } },
  })),
].map(({ kind, ...spec }) => ({
  kind,
  isPaused: false,
  isRedeclared: false,
  spec: { id: kind.replace(/\W+/g, '-'), ...persistent, ...spec } as MixedSchedule['spec'],
}));

/** The first success of a caller after an instant, by commander. */
type Successes = Map<number, { askedAt: number; answeredAt: number }[]>;

/** Steady commands to every commander, and runs that take seconds; what was answered is in `account`. */
export class Workload {
  readonly account = new CommandAccount();
  /** Submits of long runs, which are in `account`, too. */
  readonly longRunIds = new Set<string>();
  private readonly successes: Successes = new Map();
  private isWorking = false;
  private workers: Promise<void>[] = [];
  private number = 0;

  constructor(
    private readonly fleet: FaultFleet,
    private readonly random: SeededRandom,
  ) {}

  start(): void {
    this.isWorking = true;
    this.workers = [
      ...this.fleet.commanders.flatMap((_commander, home) =>
        Array.from({ length: CALLERS_PER_COMMANDER }, () => this.call(home)),
      ),
      ...Array.from({ length: LONG_RUNS_COUNT }, () => this.keepOneRunning()),
    ];
  }

  /** Resolves when everybody has an answer; runs that they submitted may still be under way. */
  async stop(): Promise<void> {
    this.isWorking = false;
    await Promise.all(this.workers);
  }

  /** From an instant until each of these commanders had acknowledged a write that was asked for afterwards; Infinity: one has not. */
  acknowledgedAgainMs(since: number, commanders: readonly number[]): number {
    const first = commanders.map((number) => {
      const after = (this.successes.get(number) ?? []).filter(({ askedAt }) => askedAt >= since);
      return Math.min(...after.map(({ answeredAt }) => answeredAt));
    });
    return Math.max(0, Math.max(...first) - since);
  }

  private async call(home: number): Promise<void> {
    const own = `own-${(this.number += 1)}`;
    let declaration = 0;
    while (this.isWorking) {
      const chance = this.random.next();
      if (chance < 0.6) await this.submit(home, quick);
      else if (chance < 0.9) await this.declare(home, own, (declaration += 1));
      else await this.comeAndGo(home);
      await sleep(CALL_PAUSE_MS);
    }
  }

  private async submit(home: number, job: object): Promise<string | undefined> {
    const key = `key-${(this.number += 1)}`;
    return this.insist(home, async (client, askedAt) => {
      const request = { ...persistent, job: job as typeof quick, idempotencyKey: key };
      const { runId } = await client.jobs.submit(request, { deadlineMs: DEADLINE_MS });
      this.account.submitted({ key, runId, askedAt, answeredAt: Date.now() });
      return runId;
    });
  }

  private async declare(home: number, id: string, number: number): Promise<void> {
    const spec = { id, everyMs: 86_400_000, startAt: FAR_OFF, job: { name: 'work', payload: { number } } };
    await this.insist(home, async (client, askedAt) => {
      try {
        await client.schedules.upsert(spec, { deadlineMs: DEADLINE_MS });
      } catch (error) {
        this.account.declarationPending(id, number);
        throw error;
      }
      this.account.declared({ id, number, askedAt, answeredAt: Date.now() });
    });
  }

  private async comeAndGo(home: number): Promise<void> {
    const id = `guest-${(this.number += 1)}`;
    await this.declare(home, id, 1);
    await this.insist(home, async (client, askedAt) => {
      await client.schedules.remove({ id }, { deadlineMs: DEADLINE_MS });
      this.account.declared({ id, number: undefined, askedAt, answeredAt: Date.now() });
    });
  }

  private async keepOneRunning(): Promise<void> {
    while (this.isWorking) {
      const home = this.random.between(0, this.fleet.commanders.length - 1);
      const runId = await this.submit(home, { name: 'work', payload: { ms: [2_000, 4_000] } });
      if (runId === undefined) continue;
      this.longRunIds.add(runId);
      await this.ended(runId);
    }
  }

  private async ended(runId: string): Promise<void> {
    while (this.isWorking) {
      await sleep(300);
      const { state } = await this.fleet
        .anywhere((client) => client.runs.get({ runId }, { deadlineMs: DEADLINE_MS }))
        .catch((error: { code?: string }) => {
          if (error.code !== 'NOT_FOUND') throw error;
          return { state: 'forgotten' };
        });
      if (['succeeded', 'failed', 'cancelled', 'timed-out', 'forgotten'].includes(state)) return;
    }
  }

  /** Asks the same thing again, with the same key, at one commander after the other until it is acknowledged. */
  private async insist<Reply>(
    home: number,
    ask: (client: CommanderClient, askedAt: number) => Promise<Reply>,
  ): Promise<Reply | undefined> {
    for (let number = home; this.isWorking; number = (number + 1) % this.fleet.commanders.length) {
      const askedAt = Date.now();
      try {
        const reply = await ask(this.fleet.commanders[number].client, askedAt);
        const successes = this.successes.get(number) ?? [];
        successes.push({ askedAt, answeredAt: Date.now() });
        this.successes.set(number, successes);
        return reply;
      } catch (error) {
        this.account.refused(String((error as { code?: unknown }).code ?? error), Date.now() - askedAt);
        await sleep(CALL_PAUSE_MS);
      }
    }
    return undefined;
  }
}
