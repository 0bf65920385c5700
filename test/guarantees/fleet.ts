import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { AnyCommander } from './any-commander.js';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { AgentSlot } from './agent-slot.js';
import { CommanderSlot } from './commander-slot.js';
import type { SeededRandom } from './seeded-random.js';

const COMMANDERS_COUNT = 3;
const AGENTS_COUNT = 6;
const MAX_SKEW_MS = 5_000;

/** What every commander of the run is set to; the rest has its default. */
export const commanderSettings = {
  RUN_LOCK_MS: '2000',
  MISFIRE_THRESHOLD_MS: '3000',
  RECONCILE_EVERY_MS: '1000',
  NO_AGENT_WAIT_MS: '15000',
  AGENT_HEARTBEAT_EVERY_MS: '1000',
  // Everything is kept, to be counted.
  RUNS_KEPT_PER_SCHEDULE: '100000',
  RUNS_KEPT_PER_NAMESPACE: '10000000',
  TICKS_KEPT_PER_SCHEDULE: '100000',
  LOG_LEVEL: 'warn',
} as const;

/** A real Redis with AOF, three commanders and six agents in processes of their own, each with a clock of its own. */
export class Fleet {
  readonly commanders: CommanderSlot[] = [];
  readonly agents: AgentSlot[] = [];
  /** How far the clocks were off, ms; one for each start of a process. */
  readonly skewsMs: number[] = [];
  private readonly any = new AnyCommander(this.commanders);

  private constructor(
    readonly server: RedisServer,
    /** A client beside the commanders, to look at what they wrote. Waits while Redis is away. */
    readonly redis: Redis,
    private readonly folder: string,
    private readonly random: SeededRandom,
  ) {}

  static async start(random: SeededRandom, distDir: string): Promise<Fleet> {
    const server = await RedisServer.start({ appendOnly: true, args: ['--appendfsync', 'always'] });
    const redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => undefined);
    const fleet = new Fleet(server, redis, await mkdtemp(join(tmpdir(), 'commander-guarantees-')), random.fork());
    try {
      for (let number = 0; number < COMMANDERS_COUNT; number += 1) {
        fleet.commanders.push(new CommanderSlot(await freePort(), server.url, distDir, { ...commanderSettings }));
      }
      await Promise.all(fleet.commanders.map((commander) => commander.start(fleet.skew())));
      for (let number = 0; number < AGENTS_COUNT; number += 1) {
        const options = {
          agentId: `agent-${number}`,
          commander: { port: fleet.commanders[number % COMMANDERS_COUNT].port },
          labels: { zone: number % 2 === 0 ? 'a' : 'b' },
          capacity: 40,
        };
        fleet.agents.push(new AgentSlot(options, distDir, fleet.logFile));
      }
      await Promise.all(fleet.agents.map((agent) => agent.start(fleet.skew())));
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** Where the agents write down what they execute. */
  get logFile(): string {
    return join(this.folder, 'agents.log');
  }

  /** The processes that must get their time: Redis, commanders and agents. */
  processIds(): number[] {
    const all = [this.server.pid, ...this.commanders.map(({ pid }) => pid), ...this.agents.map(({ pid }) => pid)];
    return all.filter((pid) => pid !== undefined);
  }

  /** How wrong the clock of the next process is: up to 5 s, early or late. */
  skew(): number {
    const skewMs = this.random.between(-MAX_SKEW_MS, MAX_SKEW_MS);
    this.skewsMs.push(skewMs);
    return skewMs;
  }

  /** Commands some commander, and another one when that fails. Rejects with the last failure after a minute. */
  anywhere<Reply>(command: (client: CommanderClient) => Promise<Reply>): Promise<Reply> {
    return this.any.ask(command);
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.kill()));
    await Promise.all(this.commanders.map((commander) => commander.stop()));
    this.redis.disconnect();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
