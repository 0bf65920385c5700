import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../src/contract/command-error.js';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { SeededRandom } from '../guarantees/seeded-random.js';
import { TcpAgent } from './fake-agent.js';

/** Callers that ask one after the other, each on a connection of its own. */
const CALLERS = 8;
const SCHEDULES = 20;
const MAX_ATTEMPTS = 5;
/** Pause between two commands of one caller: what one replica is asked to carry for hours, not its limit. */
const PAUSE_MS = 40;

/** Where a commander is asked. */
export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  /** A path of its diagnostics. */
  get(path: string): Promise<{ status: number }>;
}

/** How many commands ended how. */
export interface LoadCounts {
  answered: number;
  /** Refused as they had to be: bad input, something that is not there. */
  refusedRightly: number;
  /** Everything else, with its reason: should be empty. */
  failures: string[];
}

/**
 * A day's work for one commander, in small: runs submitted and awaited, schedules that fire every second and change, lists, reads, results,
 * bad input, connections that come and go, jobs that fail and are retried, and people who look at /diagnostics.
 */
export class MixedLoad {
  readonly counts: LoadCounts = { answered: 0, refusedRightly: 0, failures: [] };
  private isRunning = true;
  private readonly callers: Promise<void>[];

  private constructor(
    private readonly target: LoadTarget,
    private readonly agent: TcpAgent,
    random: SeededRandom,
  ) {
    this.callers = [
      ...Array.from({ length: CALLERS }, (_, number) => this.call(number, random.fork())),
      this.look(random.fork()),
    ];
  }

  static async start(target: LoadTarget, seed = 7): Promise<MixedLoad> {
    const random = new SeededRandom(seed);
    const agent = await TcpAgent.start({
      capacity: 200,
      handler: async ({ job, attempt }) => {
        await sleep(random.between(1, 60));
        // The last one succeeds: whoever waits for a run counts its failure as one of the service.
        if (attempt < MAX_ATTEMPTS && random.next() < 0.05) throw new Error('the site is away');
        return {
          job: job.payload,
          items: Array.from({ length: random.between(1, 40) }, (_, rank) => ({ rank, title: 'x'.repeat(40) })),
        };
      },
    });
    const { host, port, token } = target;
    await agent.join({ host, port, token });
    return new MixedLoad(target, agent, random);
  }

  get total(): number {
    const { answered, refusedRightly, failures } = this.counts;
    return answered + refusedRightly + failures.length;
  }

  /** Resolves when every command was answered and every connection is closed. */
  async stop(): Promise<void> {
    this.isRunning = false;
    await Promise.all(this.callers);
    await this.agent.stop();
  }

  private client(): CommanderClient {
    const { host, port, token } = this.target;
    return new CommanderClient({ host, port, token, requestTimeoutMs: 20_000 });
  }

  private async call(number: number, random: SeededRandom): Promise<void> {
    let client = this.client();
    for (let round = 0; this.isRunning; round++) {
      await this.count(this.one(client, random, `${number}-${round}`));
      await sleep(PAUSE_MS);
      // Connections come and go.
      if (random.next() < 0.02) {
        await client.close();
        client = this.client();
      }
    }
    await client.close();
  }

  /** One command, chosen by chance. */
  private one(client: CommanderClient, random: SeededRandom, payload: string): Promise<unknown> {
    const schedule = `schedule-${random.between(1, SCHEDULES)}`;
    const job = { name: 'job', payload: { payload, text: 'y'.repeat(random.between(0, 2_000)) } };
    const retry = { maxAttempts: MAX_ATTEMPTS, delayMs: 50 };
    const choices: [share: number, command: () => Promise<unknown>][] = [
      [35, () => client.jobs.submit({ job, retry, wait: true })],
      [10, () => client.jobs.submit({ job, retry, idempotencyKey: payload, delayMs: random.between(0, 2_000) })],
      [10, () => client.schedules.upsert({ id: schedule, everyMs: 1_000, job, retry, resultKey: schedule })],
      [4, () => client.schedules.remove({ id: schedule })],
      [8, () => client.schedules.list({ limit: 20 })],
      [6, () => client.schedules.get({ id: schedule })],
      [8, () => client.runs.list({ limit: 20 })],
      [6, () => client.results.get({ key: schedule })],
      [4, () => client.system.stats({})],
      [4, () => client.agents.list({})],
      [3, () => client.jobs.submit({ job: { name: '' } })],
      [2, () => client.runs.get({ runId: 'nobody' })],
    ];
    let at = random.next() * choices.reduce((sum, [share]) => sum + share, 0);
    return choices.find(([share]) => (at -= share) < 0)![1]();
  }

  private async look(random: SeededRandom): Promise<void> {
    while (this.isRunning) {
      const path = random.pick(['/diagnostics', '/diagnostics/groups', '/diagnostics?format=text']);
      await this.count(
        this.target.get(path).then(({ status }) => {
          // 429: one costly look at a time.
          if (status !== 200 && status !== 429) throw new Error(`${path}: ${status}`);
        }),
      );
      await sleep(1_000);
    }
  }

  private async count(command: Promise<unknown>): Promise<void> {
    try {
      await command;
      this.counts.answered += 1;
    } catch (error) {
      const isRight = error instanceof CommandError && ['INVALID_ARGUMENT', 'NOT_FOUND'].includes(error.code);
      if (isRight) this.counts.refusedRightly += 1;
      else this.counts.failures.push(error instanceof CommandError ? `${error.code}: ${error.message}` : String(error));
    }
  }
}
