import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnyCommander } from '../guarantees/any-commander.js';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import { AgentSlot } from '../guarantees/agent-slot.js';
import { CommanderSlot } from '../guarantees/commander-slot.js';
import { commanderSettings } from '../guarantees/fleet.js';
import { type ProcessClock, setClock, settableClock } from '../guarantees/process-clock.js';
import { freePort } from '../support/free-port.js';
import { FaultProxy } from './fault-proxy.js';
import type { RedisUnderFault } from './redis-under-fault.js';

const COMMANDERS_COUNT = 3;
const AGENTS_COUNT = 3;
/** Under which commanders dial an agent: there its proxy listens. */
const PROXIED_HOST = '127.0.0.2';

const settings = {
  ...commanderSettings,
  // A half-open Redis is found after this; 30 s by default.
  REDIS_SILENCE_TIMEOUT_MS: '15000',
  // As in the image.
  NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=4',
};

/** Three commanders and three agents, each a process, with a proxy in front of every agent. */
export class FaultFleet {
  readonly commanders: CommanderSlot[] = [];
  readonly agents: AgentSlot[] = [];
  readonly agentProxies: FaultProxy[] = [];
  private readonly any = new AnyCommander(this.commanders);

  private constructor(
    readonly under: RedisUnderFault,
    private readonly folder: string,
  ) {}

  /** @param hasClocks whether clocks of commanders can be set while they run */
  static async start(under: RedisUnderFault, distDir: string, hasClocks: boolean): Promise<FaultFleet> {
    const fleet = new FaultFleet(under, await mkdtemp(join(tmpdir(), 'commander-faults-')));
    try {
      for (let number = 0; number < COMMANDERS_COUNT; number += 1) {
        fleet.commanders.push(new CommanderSlot(await freePort(), under.url, distDir, { ...settings, ...under.env }));
      }
      await Promise.all(
        fleet.commanders.map((commander, number) => commander.start(hasClocks ? fleet.clock(number) : 0)),
      );
      for (let number = 0; number < AGENTS_COUNT; number += 1) await fleet.addAgent(number, distDir);
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

  processIds(): number[] {
    const slots = [...this.commanders, ...this.agents].map(({ pid }) => pid);
    return [...this.under.processIds(), ...slots.filter((pid) => pid !== undefined)];
  }

  setClock(number: number, skewMs: number): void {
    setClock(this.clockFile(number), skewMs);
  }

  /** Commands some commander, and another one when that fails. Rejects with the last failure after a minute. */
  anywhere<Reply>(command: (client: CommanderClient) => Promise<Reply>): Promise<Reply> {
    return this.any.ask(command);
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.kill()));
    await Promise.all(this.commanders.map((commander) => commander.stop()));
    await Promise.all(this.agentProxies.map((proxy) => proxy.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async addAgent(number: number, distDir: string): Promise<void> {
    const listenPort = await freePort();
    const proxied = { host: PROXIED_HOST, port: listenPort };
    this.agentProxies.push(await FaultProxy.start({ host: '127.0.0.1', port: listenPort }, proxied));
    const options = {
      agentId: `agent-${number}`,
      commander: { port: this.commanders[number % COMMANDERS_COUNT].port },
      listenPort,
      advertiseHost: PROXIED_HOST,
      capacity: 40,
    };
    const agent = new AgentSlot(options, distDir, this.logFile);
    this.agents.push(agent);
    await agent.start(0);
  }

  private clock(number: number): ProcessClock {
    return settableClock(this.clockFile(number));
  }

  private clockFile(number: number): string {
    return join(this.folder, `clock-${number}`);
  }
}
