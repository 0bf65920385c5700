import { readSettings, settings } from '../../../src/config/settings.js';
import { BuiltApp } from '../../support/built-app.js';
import { eventually } from '../../support/eventually.js';
import { flaggedBudget } from '../../support/manifests/memory-budget.js';
import { MemoryWatch } from '../../support/memory-watch.js';
import { RedisServer } from '../../support/redis-server.js';
import { TcpPeer } from '../../support/tcp-peer.js';
import { HonestPeer, type HonestReport } from './honest-peer.js';

/** As the image and the manifests have it; `k8s/README.md` adds up what a process with it may hold. */
const NODE_OPTIONS = '--max-old-space-size=96 --max-semi-space-size=4';
/** A peer's misdeeds are told once per reason and ten seconds. */
const LINES_PER_SECOND = 0.1;

/** The part of `diagnostics.summary` that the attacks look at. */
export interface TcpFigures {
  tcpCount: number;
  acceptedCount: number;
  refusedCount: number;
  closedCounts: Record<string, number>;
  commandsCount: number;
  inFlightCount: number;
  inFlightBytes: number;
  unreadLength: number;
  unsentBytes: number;
  errorCounts: Record<string, number>;
}

export interface BesiegedOptions {
  /** Settings on top of the defaults. */
  env?: Record<string, string>;
  token?: string;
}

/**
 * The built service under the memory flags of its image, with a Redis of its own. `during` attacks it while an honest
 * peer works, and fails unless the honest peer was served all the time, the memory stayed within the arithmetic, the log
 * stayed short, and nothing of the attack was left.
 */
export class Besieged {
  private readonly attackers: TcpPeer[] = [];

  private constructor(
    readonly redis: RedisServer,
    readonly app: BuiltApp,
    private readonly options: BesiegedOptions,
  ) {}

  static async start(options: BesiegedOptions = {}): Promise<Besieged> {
    const redis = await RedisServer.start();
    try {
      const env = { NODE_OPTIONS, LOG_LEVEL: 'info', ...options.env };
      return new Besieged(redis, await BuiltApp.start({ redisUrl: redis.url, env }), options);
    } catch (error) {
      await redis.stop();
      throw error;
    }
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.app.tcpPort };
  }

  /** What the process may hold at most, by the memory arithmetic. */
  get memoryBytes(): number {
    return flaggedBudget(NODE_OPTIONS, readSettings({ ...defaults(), ...this.options.env })).sumBytes;
  }

  peer(): Promise<TcpPeer> {
    return TcpPeer.connect(this.address);
  }

  /** A peer that is closed when the attack is over. */
  async attacker(): Promise<TcpPeer> {
    const peer = await this.peer();
    this.attackers.push(peer);
    return peer;
  }

  async figures(): Promise<TcpFigures> {
    const peer = await this.peer();
    const { token } = this.options;
    const { response, err } = await peer.ask('diagnostics.summary', {}, token === undefined ? {} : { token });
    await peer.close();
    if (err !== undefined) throw new Error(`diagnostics.summary: ${err.code} ${err.message}`);
    return (response as { sources: { tcp: TcpFigures } }).sources.tcp;
  }

  /** @returns the figures from before and from after */
  async during(attack: () => Promise<void>): Promise<{ before: TcpFigures; after: TcpFigures }> {
    const before = await this.figures();
    const linesBefore = this.app.output().split('\n').length;
    const startedAt = performance.now();
    const memory = new MemoryWatch(this.app.pid);
    const honest = await HonestPeer.start(this.app.tcpPort, this.options.token);
    let served: HonestReport | undefined;
    try {
      await attack();
    } finally {
      await Promise.all(this.attackers.splice(0).map((peer) => peer.close()));
      served = await honest.stop();
      memory.stop();
    }
    report(served, memory.peakBytes);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(served.troubles).toEqual([]);
    expect(served.latenciesMs.length).toBeGreaterThan(0);
    expect(memory.peakBytes).toBeLessThan(this.memoryBytes);
    // Every reason may have its line, whatever their number was.
    const lines = this.app.output().split('\n').length - linesBefore;
    expect(lines).toBeLessThanOrEqual(REASONS_COUNT * (1 + Math.ceil(seconds * LINES_PER_SECOND)));
    const after = await eventually(async () => {
      const figures = await this.figures();
      expect(figures).toMatchObject({ tcpCount: 1, inFlightCount: 1, unreadLength: 0, unsentBytes: 0 });
      return figures;
    });
    return { before, after };
  }

  async stop(): Promise<void> {
    const { code } = await this.app.stop();
    await this.redis.stop();
    // Killed by nobody, not even by V8 for its heap.
    expect(code).toBe(0);
  }
}

/** Reasons under which the transport logs, see `RateLimitedLog`; and a few lines of others. */
const REASONS_COUNT = 12;

function defaults(): Record<string, string> {
  return Object.fromEntries(
    [settings.maxConnections, settings.maxFrameBytes].map(({ env, default: value }) => [env, String(value)]),
  );
}

/** With ATTACKS_REPORT set: a line of a table for each attack. */
function report({ latenciesMs }: HonestReport, peakBytes: number): void {
  if (process.env.ATTACKS_REPORT === undefined) return;
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const [median, worst] = [sorted[sorted.length >> 1], sorted.at(-1)].map((ms = 0) => ms.toFixed(1));
  const { currentTestName } = expect.getState();
  const peakMiB = (peakBytes / 2 ** 20).toFixed(0);
  process.stderr.write(`| ${currentTestName} | ${sorted.length} | ${median} | ${worst} | ${peakMiB} |\n`);
}
