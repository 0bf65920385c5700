import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { AgentSlot } from '../guarantees/agent-slot.js';
import { BuiltApp } from '../support/built-app.js';
import { eventually } from '../support/eventually.js';
import { httpGet } from '../support/http-get.js';
import { RedisServer } from '../support/redis-server.js';
import { type Flatness, judgeFlatness, type Series } from './flatness.js';
import {
  anonymousBytes,
  type CommanderAtRest,
  commanderAtRest,
  type RedisAtRest,
  redisAtRest,
} from './rest-reading.js';
import { DiagnosticsReader, SoakLoad, soakSchedules } from './soak-load.js';

const MiB = 2 ** 20;
const COMMANDERS_COUNT = 2;
const AGENTS_COUNT = 3;
const CLIENTS_PER_COMMANDER = 4;
const READ_PAUSE_MS = 1_000;
const REST_TIMEOUT_MS = 60_000;
/** The memory flags of the image. */
const NODE_OPTIONS = '--max-old-space-size=96 --max-semi-space-size=4';

/** What may come on top from the first readings after the warm-up to the last ones, per commander or in Redis. */
export const tolerances = {
  handles: 0,
  /** Of one line, or of all: at rest some come and go. */
  timers: 10,
  heapBytes: 2 * MiB,
  rssBytes: 12 * MiB,
  agentRssBytes: 12 * MiB,
  redisBytes: 2 * MiB,
} as const;

/** Everything that keeps a past is kept short, so that it is full long before the end; what is on by choice is on. */
const settings = {
  NODE_OPTIONS,
  LOG_LEVEL: 'info',
  MAX_REQUESTS_PER_SECOND: '0',
  RUNS_KEPT_PER_SCHEDULE: '50',
  RUNS_KEPT_PER_NAMESPACE: '300',
  TICKS_KEPT_PER_SCHEDULE: '50',
  IDEMPOTENCY_WINDOW_MS: '1000',
  RECORDER_INTERVAL_MS: '1000',
  EVIDENCE_MAX_BYTES: '1048576',
  HEAP_SAMPLING: 'always',
} as const;

export interface SoakOptions {
  commandsCount: number;
  runsCount: number;
  /** Readings at rest; the first quarter is the warm-up. */
  readingsCount: number;
  seed: number;
  distDir: string;
  say: (line: string) => void;
}

export interface Reading {
  commandsCount: number;
  runsCount: number;
  commanders: CommanderAtRest[];
  agentsRssBytes: number[];
  redis: RedisAtRest;
}

export interface SoakReport extends Pick<SoakOptions, 'seed'> {
  commandsCount: number;
  runsCount: number;
  lastedMs: number;
  diagnosticsReadsCount: number;
  readings: Reading[];
  flatness: Flatness[];
  /** Verdicts that said growing or leaking at any look. */
  verdicts: string[];
  troubles: string[];
}

/** Commanders and agents in processes of their own under every kind of load, read at rest now and then. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const soak = await Soak.start(options);
  try {
    return await soak.run();
  } finally {
    await soak.stop();
  }
}

class Soak {
  private readonly apps: BuiltApp[] = [];
  private readonly agents: AgentSlot[] = [];
  private readonly clients: CommanderClient[][] = [];
  private readonly verdicts = new Set<string>();
  private readonly readings: Reading[] = [];
  private visits = 0;

  private constructor(
    private readonly options: SoakOptions,
    private readonly server: RedisServer,
    private readonly redis: Redis,
    private readonly folder: string,
  ) {}

  static async start(options: SoakOptions): Promise<Soak> {
    const server = await RedisServer.start({ appendOnly: true });
    const folder = await mkdtemp(join(tmpdir(), 'commander-soak-'));
    const soak = new Soak(options, server, new Redis(server.url), folder);
    try {
      for (let number = 0; number < COMMANDERS_COUNT; number += 1) await soak.addCommander(number);
      for (let number = 0; number < AGENTS_COUNT; number += 1) await soak.addAgent(number);
      return soak;
    } catch (error) {
      await soak.stop();
      throw error;
    }
  }

  async run(): Promise<SoakReport> {
    const { commandsCount, runsCount, readingsCount, seed, say } = this.options;
    const startedAt = performance.now();
    const load = new SoakLoad(this.clients.flat(), () => this.visitor(), seed);
    const readers = this.apps.map((app, number) => this.diagnosticsReader(app, this.clients[number][0]));
    await Promise.all(soakSchedules.map((spec) => this.clients[0][0].schedules.upsert(spec)));

    for (let reading = 1; reading <= readingsCount; reading += 1) {
      const share = reading / readingsCount;
      load.work();
      await eventually(
        async () => load.commandsCount >= commandsCount * share && (await this.runsCount(load)) >= runsCount * share,
        { timeoutMs: 3_600_000, intervalMs: 200, what: 'the load of one reading' },
      );
      await load.rest();
      await this.settle();
      const at = await this.read(load);
      this.readings.push(at);
      say(
        `${at.commandsCount} commands, ${at.runsCount} runs: ` +
          [
            ...at.commanders.map(({ heapFloorBytes, rssBytes }) => `heap ${mib(heapFloorBytes)}, RSS ${mib(rssBytes)}`),
          ].join('; ') +
          `; Redis ${mib(at.redis.usedBytes)}, ${at.redis.keysCount} keys`,
      );
      if (reading < readingsCount) await this.resume();
    }
    for (const reader of readers) await reader.stop();
    const last = this.readings.at(-1) as Reading;
    return {
      seed,
      commandsCount: last.commandsCount,
      runsCount: last.runsCount,
      lastedMs: performance.now() - startedAt,
      diagnosticsReadsCount: readers.reduce((sum, reader) => sum + reader.readsCount, 0),
      readings: this.readings,
      flatness: seriesOf(this.readings).map(judgeFlatness),
      verdicts: [...this.verdicts],
      troubles: [...load.troubles].map(([trouble, count]) => `${count} × ${trouble}`),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.kill()));
    await Promise.all(this.clients.flat().map((client) => client.close()));
    await Promise.all(this.apps.map((app) => app.stop()));
    this.redis.disconnect();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async addCommander(number: number): Promise<void> {
    const app = await BuiltApp.start({
      redisUrl: this.server.url,
      entry: join(this.options.distDir, 'main.js'),
      nodeArgs: ['--expose-gc', '--require', join(__dirname, 'collect-on-signal.cjs')],
      env: {
        ...settings,
        HEAP_FILE: this.heapFile(number),
        EVIDENCE_DIR: join(this.folder, 'evidence'),
        INSTANCE_NAME: `commander-${number}`,
      },
    });
    this.apps.push(app);
    this.clients.push(
      Array.from(
        { length: CLIENTS_PER_COMMANDER },
        () => new CommanderClient({ port: app.tcpPort, requestTimeoutMs: 20_000 }),
      ),
    );
  }

  private async addAgent(number: number): Promise<void> {
    const commander = { port: this.apps[number % COMMANDERS_COUNT].tcpPort };
    const options = { agentId: `agent-${number}`, commander, capacity: 60 };
    const agent = new AgentSlot(options, this.options.distDir, '/dev/null');
    this.agents.push(agent);
    await agent.start(0);
  }

  private heapFile(number: number): string {
    return join(this.folder, `heap-${number}`);
  }

  private visitor(): CommanderClient {
    const app = this.apps[(this.visits += 1) % this.apps.length];
    return new CommanderClient({ port: app.tcpPort, requestTimeoutMs: 20_000 });
  }

  private diagnosticsReader(app: BuiltApp, client: CommanderClient): DiagnosticsReader {
    const page = (path: string) => async () => {
      const { status } = await httpGet(`${app.httpUrl}${path}`, { timeoutMs: 30_000 });
      if (status !== 200) throw new Error(`GET ${path}: ${status}`);
    };
    return new DiagnosticsReader(
      [
        page('/diagnostics'),
        page('/diagnostics/groups?sort=created'),
        page('/diagnostics/history'),
        page('/diagnostics/heap'),
        page('/metrics'),
        // Once a probe may come too late for its PING, as every prober has it: a pod is taken out at the second in a row.
        () => page('/readyz')().catch(page('/readyz')),
        () => client.diagnostics.summary({}),
        async () => {
          const { verdicts } = await client.diagnostics.verdicts({});
          for (const { state, kind, site } of verdicts) {
            if (state !== 'leaking' && state !== 'growing') continue;
            this.verdicts.add(`${state}: ${kind}${site === null ? '' : ` at ${site.file}:${site.line}`}`);
          }
        },
      ],
      READ_PAUSE_MS,
    );
  }

  /** Submits that were acknowledged, and due times that became runs. */
  private async runsCount(load: SoakLoad): Promise<number> {
    const { items } = await this.clients[0][0].schedules.list({ limit: 500 });
    return items.reduce((sum, { ticks }) => sum + ticks.firedCount + ticks.lateCount, load.submitsCount);
  }

  private async settle(): Promise<void> {
    const [client] = this.clients[0];
    await Promise.all(soakSchedules.map(({ id }) => client.schedules.pause({ id, reason: 'a reading' })));
    await eventually(
      async () => {
        // Schedules that are paused are not due, and a run that has not ended is.
        const members = await this.redis.zrange('{commander}:due', 0, '-1');
        if (members.length > 0) throw new Error(members.slice(0, 3).join(', '));
        const { items } = await client.agents.list({});
        return items.length === AGENTS_COUNT && items.every(({ inFlight }) => inFlight === 0);
      },
      { timeoutMs: REST_TIMEOUT_MS, intervalMs: 100, what: 'rest' },
    );
    // Idempotency keys have had their second.
    let keysCount = -1;
    await eventually(
      async () => {
        const before = keysCount;
        keysCount = await this.redis.dbsize();
        return keysCount === before;
      },
      { timeoutMs: REST_TIMEOUT_MS, intervalMs: 700, what: 'no key to expire any more' },
    );
  }

  private async resume(): Promise<void> {
    await Promise.all(soakSchedules.map(({ id }) => this.clients[0][0].schedules.resume({ id })));
  }

  private async read(load: SoakLoad): Promise<Reading> {
    const commanders: CommanderAtRest[] = [];
    for (const [number, { pid }] of this.apps.entries()) {
      commanders.push(await commanderAtRest(this.clients[number][0], pid, this.heapFile(number)));
    }
    return {
      commandsCount: load.commandsCount,
      runsCount: await this.runsCount(load),
      commanders,
      agentsRssBytes: this.agents.map(({ pid }) => anonymousBytes(pid!)),
      redis: await redisAtRest(this.redis),
    };
  }
}

/** What must be level, each as a series over the readings: also each line of the ledger by itself. */
export function seriesOf(readings: readonly Reading[]): Series[] {
  const series: Series[] = [];
  const add = (what: string, unit: Series['unit'], tolerance: number, value: (reading: Reading) => number) =>
    series.push({ what, unit, tolerance, values: readings.map(value) });
  for (let number = 0; number < COMMANDERS_COUNT; number += 1) {
    const name = `commander ${number + 1}`;
    const of = (reading: Reading) => reading.commanders[number];
    const total = (counts: Map<string, number>, isWanted: (name: string) => boolean) =>
      [...counts].reduce((sum, [kind, count]) => sum + (isWanted(kind) ? count : 0), 0);
    add(`${name}: handles of every kind but timers`, 'count', tolerances.handles, (reading) =>
      total(of(reading).kinds, (kind) => !isTimer(kind)),
    );
    add(`${name}: timers`, 'count', tolerances.timers, (reading) => total(of(reading).kinds, isTimer));
    add(`${name}: open descriptors`, 'count', tolerances.handles, (reading) => of(reading).openFdsCount);
    for (const line of new Set(readings.flatMap((reading) => [...of(reading).groups.keys()]))) {
      const tolerance = isTimer(line) ? tolerances.timers : tolerances.handles;
      add(`${name}: ${line}`, 'count', tolerance, (reading) => of(reading).groups.get(line) ?? 0);
    }
    add(`${name}: floor of the heap`, 'bytes', tolerances.heapBytes, (reading) => of(reading).heapFloorBytes);
    add(`${name}: RSS, anonymous`, 'bytes', tolerances.rssBytes, (reading) => of(reading).rssBytes);
  }
  for (let number = 0; number < AGENTS_COUNT; number += 1) {
    add(
      `agent ${number + 1}: RSS, anonymous`,
      'bytes',
      tolerances.agentRssBytes,
      (reading) => reading.agentsRssBytes[number],
    );
  }
  add('Redis: memory in use', 'bytes', tolerances.redisBytes, ({ redis }) => redis.usedBytes);
  add('Redis: keys', 'count', REDIS_KEYS_TOLERANCE, ({ redis }) => redis.keysCount);
  return series;
}

/** @param name a kind, or a kind and a place */
function isTimer(name: string): boolean {
  return /^(timer|interval)\b/.test(name);
}

/** Results by key and runs by schedule fill to their caps from below. */
const REDIS_KEYS_TOLERANCE = 20;

function mib(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`;
}
