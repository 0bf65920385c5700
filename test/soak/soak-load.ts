import { setTimeout as sleep } from 'node:timers/promises';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import type { ScheduleSpecInput } from '../../src/contract/schedule.schema.js';
import { SeededRandom } from '../guarantees/seeded-random.js';

const CALLERS_PER_CLIENT = 16;
/** One command in so many comes from an app that connects for it and goes again. */
const VISIT_EVERY = 500;
/** Of every hundred commands. */
const SUBMITS_PERCENT = 10;
const RECENT_COUNT = 200;
/** What a caller may be told while everything works, beside the answer. Anything else is a failure of the run. */
const EXPECTED_CODES: Record<string, readonly string[]> = {
  'job.submit': ['CANCELLED'],
  'run.get': ['NOT_FOUND'],
  'run.cancel': ['NOT_FOUND'],
  'result.get': ['NOT_FOUND'],
  'schedule.get of none': ['NOT_FOUND'],
  'bad input': ['INVALID_ARGUMENT'],
  'deadline of 1 ms': ['DEADLINE_EXCEEDED', 'UNAVAILABLE'],
};

/** Schedules of every policy, each with its due times twice a second. */
export const soakSchedules: ScheduleSpecInput[] = [
  ...(['allow', 'skip', 'buffer-one', 'cancel-previous'] as const).map((overlap) => ({
    id: `overlap-${overlap}`,
    overlap,
    job: { name: 'work', payload: { ms: [0, 900] } },
  })),
  ...(['round-robin', 'random', 'least-loaded', 'sticky', 'broadcast', 'shard'] as const).map((strategy) => ({
    id: `route-${strategy}`,
    route: { strategy },
    job: { name: 'work', payload: { ms: [0, 5] } },
  })),
  { id: 'retried', job: { name: 'work', payload: { fail: 'first-attempt' } } },
  { id: 'failing', job: { name: 'work', payload: { fail: 'always' } }, retry: { maxAttempts: 1 } },
].map((spec) => ({
  everyMs: 500,
  timeoutMs: 10_000,
  resultKey: `of-${spec.id}`,
  ...spec,
  retry: { delayMs: 50, maxDelayMs: 50, maxAttempts: 2, ...('retry' in spec ? spec.retry : {}) },
}));

/** Callers that send commands of every kind as fast as they are answered, until told to rest. */
export class SoakLoad {
  commandsCount = 0;
  submitsCount = 0;
  /** What was answered that must not be: code and command. */
  readonly troubles = new Map<string, number>();
  private isWorking = false;
  private callers: Promise<void>[] = [];
  private readonly recentRuns: string[] = [];
  private readonly random: SeededRandom;

  constructor(
    private readonly clients: readonly CommanderClient[],
    /** A client of some commander that nobody else uses. */
    private readonly visitor: () => CommanderClient,
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
  }

  work(): void {
    this.isWorking = true;
    this.callers = this.clients.flatMap((client) =>
      Array.from({ length: CALLERS_PER_CLIENT }, () => this.call(client)),
    );
  }

  /** Resolves when the last caller has its answer. */
  async rest(): Promise<void> {
    this.isWorking = false;
    await Promise.all(this.callers);
  }

  private async call(client: CommanderClient): Promise<void> {
    while (this.isWorking) {
      this.commandsCount += 1;
      if (this.commandsCount % VISIT_EVERY === 0) await this.visit();
      else await this.command(client);
    }
  }

  private async visit(): Promise<void> {
    const visitor = this.visitor();
    await this.command(visitor);
    await visitor.close();
  }

  private async command(client: CommanderClient): Promise<void> {
    const isSubmit = this.random.between(0, 99) < SUBMITS_PERCENT;
    const [name, send] = isSubmit ? (['job.submit', () => this.submit(client)] as const) : this.other(client);
    try {
      await send();
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? error);
      if (!(EXPECTED_CODES[name] ?? []).includes(code)) this.complain(`${name}: ${code} ${(error as Error).message}`);
    }
  }

  private async submit(client: CommanderClient): Promise<void> {
    const number = (this.submitsCount += 1);
    const { random } = this;
    const { runId } = await client.jobs.submit({
      job: { name: 'work', payload: { ms: [0, 5], fail: random.next() < 0.02 ? 'first-attempt' : 'never', number } },
      retry: { delayMs: 50, maxDelayMs: 50 },
      wait: number % 2 === 0,
      ...(number % 4 === 0 ? { idempotencyKey: `soak-${number}` } : {}),
      ...(number % 16 === 0 ? { delayMs: random.between(1, 500) } : {}),
      ...(number % 8 === 0 ? { resultKey: `submitted-${number % 64}` } : {}),
    });
    this.recentRuns[number % RECENT_COUNT] = runId;
  }

  private other(client: CommanderClient): readonly [string, () => Promise<unknown>] {
    const { random } = this;
    const { id } = random.pick(soakSchedules);
    const runId = this.recentRuns[random.between(0, this.recentRuns.length - 1)] ?? 'none';
    const choice = random.between(0, 99);
    if (choice < 30) return ['run.get', () => client.runs.get({ runId })];
    if (choice < 45) return ['schedule.get', () => client.schedules.get({ id })];
    if (choice < 60) return ['result.get', () => client.results.get({ key: `of-${id}` })];
    if (choice < 70) return ['system.health', () => client.system.health({})];
    if (choice < 78) return ['agent.list', () => client.agents.list({})];
    if (choice < 82) return ['schedule.get of none', () => client.schedules.get({ id: 'nothing' })];
    if (choice < 86) return ['schedule.preview', () => client.schedules.preview({ cron: '*/7 * * * *', count: 3 })];
    if (choice < 89) return ['run.list', () => client.runs.list({ scheduleId: id, limit: 5 })];
    if (choice < 92) return ['run.cancel', () => client.runs.cancel({ runId, reason: 'soak' })];
    if (choice < 94) return ['system.stats', () => client.system.stats({})];
    if (choice < 96) return ['schedule.upsert', () => client.schedules.upsert(random.pick(soakSchedules))];
    if (choice < 97) return ['schedule.upsert of a new one', () => this.comeAndGo(client)];
    if (choice < 98) return ['bad input', () => client.schedules.upsert({ id, cron: 'never', job: { name: 'work' } })];
    return ['deadline of 1 ms', () => client.runs.list({ limit: 50 }, { deadlineMs: 1 })];
  }

  private async comeAndGo(client: CommanderClient): Promise<void> {
    const id = `guest-${this.random.between(0, 2 ** 31)}`;
    await client.schedules.upsert({ id, everyMs: 3_600_000, job: { name: 'work' } });
    await client.schedules.remove({ id });
  }

  private complain(trouble: string): void {
    this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
  }
}

/** Reads every kind of diagnostics all the time, as an operator's page and Prometheus do. */
export class DiagnosticsReader {
  readsCount = 0;
  private isReading = true;
  private readonly reading: Promise<void>;

  constructor(read: readonly (() => Promise<unknown>)[], pauseMs: number) {
    this.reading = this.loop(read, pauseMs);
  }

  /** @throws what a read failed with */
  async stop(): Promise<void> {
    this.isReading = false;
    await this.reading;
  }

  private async loop(reads: readonly (() => Promise<unknown>)[], pauseMs: number): Promise<void> {
    while (this.isReading) {
      for (const read of reads) {
        await read();
        this.readsCount += 1;
      }
      await sleep(pauseMs);
    }
  }
}
