import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentSlot } from './agent-slot.js';
import type { CommanderSlot } from './commander-slot.js';
import type { DeclaringApp } from './declaring-app.js';
import type { Fleet } from './fleet.js';
import type { Journal, Recovery } from './journal.js';
import { Records } from './records.js';
import { watchRecovery } from './recovery-watch.js';
import type { MixedSchedule } from './schedule-mix.js';
import type { SeededRandom } from './seeded-random.js';

/**
 * Breaks a fleet, again and again: one thing after the other happens to commanders and Redis, beside it things happen to
 * agents and to schedules. What was done and how long it took to recover is in the journal.
 */
export class Disturbances {
  private readonly records: Records;
  /** Restarts that are still under way. */
  private readonly restarts = new Set<Promise<unknown>>();
  private boots: Promise<unknown> = Promise.resolve();
  private readonly serviceRandom: SeededRandom;
  private readonly lossRandom: SeededRandom;
  private readonly agentRandom: SeededRandom;
  private readonly pauseRandom: SeededRandom;

  constructor(
    private readonly fleet: Fleet,
    private readonly schedules: readonly MixedSchedule[],
    private readonly app: DeclaringApp,
    private readonly journal: Journal,
    random: SeededRandom,
  ) {
    this.serviceRandom = random.fork();
    this.lossRandom = random.fork();
    this.agentRandom = random.fork();
    this.pauseRandom = random.fork();
    this.records = new Records(fleet.redis);
  }

  /** Disturbs until this instant, then waits until every process runs again. */
  async until(endsAt: number): Promise<void> {
    await Promise.all([this.disturbService(endsAt), this.disturbAgents(endsAt), this.pauseSchedules(endsAt)]);
    await Promise.all(this.restarts);
    await this.boots;
  }

  private async disturbService(endsAt: number): Promise<void> {
    // Every kind once in each round, in another order each time: also a short run has all of them.
    const kinds = [
      () => this.killCommander(),
      () => this.freezeCommander(),
      () => this.killCommander(),
      () => this.restartRedis(),
      () => this.deleteEngineJobs(),
      () => this.deleteEngineJobsAndKill(),
      () => this.killCommander(),
      () => this.deleteDueMembers(),
      () => this.killAllCommanders(),
    ];
    while (Date.now() < endsAt) {
      const round = [...kinds].map((disturb) => ({ disturb, place: this.serviceRandom.next() }));
      for (const { disturb } of round.sort((a, b) => a.place - b.place)) {
        await sleep(this.serviceRandom.between(300, 2_500));
        if (Date.now() >= endsAt) return;
        await disturb();
      }
    }
  }

  /** `kill -9` of one replica; another one takes its place a little later, and an app declares its schedules there. */
  private async killCommander(kind = 'one killed'): Promise<void> {
    const victim = this.serviceRandom.pick(await this.running());
    const at = Date.now();
    await victim.kill();
    this.journal.note('commander killed', at);
    this.restart(victim, this.serviceRandom.between(200, 3_000));
    this.journal.recoveries.push(await this.recovery(kind, at));
  }

  private async killAllCommanders(): Promise<void> {
    await Promise.all(this.restarts);
    const from = Date.now();
    await Promise.all(this.fleet.commanders.map((commander) => commander.kill()));
    await sleep(this.serviceRandom.between(500, 5_000));
    for (const commander of this.fleet.commanders) this.restart(commander, 0);
    await Promise.race(this.restarts);
    const at = Date.now();
    this.journal.note('all commanders killed', from);
    // From here on somebody is there to recover.
    this.journal.recoveries.push(await this.recovery('all killed', at));
  }

  /** SIGSTOP for longer than its locks hold, then SIGCONT: it goes on as if nothing had been. */
  private async freezeCommander(): Promise<void> {
    const victim = this.serviceRandom.pick(await this.running());
    const at = Date.now();
    victim.freeze();
    const thaw = sleep(this.serviceRandom.between(2_500, 5_000)).then(() => {
      victim.thaw();
      this.journal.note('commander frozen', at);
    });
    const [recovery] = await Promise.all([this.recovery('one frozen', at), thaw]);
    this.journal.recoveries.push(recovery);
  }

  private async restartRedis(): Promise<void> {
    const { server } = this.fleet;
    const from = Date.now();
    if (this.serviceRandom.next() < 0.5) await server.kill();
    await sleep(this.serviceRandom.between(0, 1_500));
    await server.restart();
    const at = Date.now();
    this.journal.note('Redis restarted', from);
    this.journal.recoveries.push(await this.recovery('Redis restarted', at));
  }

  private async deleteEngineJobs(): Promise<void> {
    const from = Date.now();
    await this.loseEngineJobs();
    this.journal.recoveries.push(await this.recovery('engine jobs deleted', from));
  }

  private async deleteEngineJobsAndKill(): Promise<void> {
    await this.loseEngineJobs();
    await this.killCommander('one killed, its engine jobs deleted');
  }

  private async loseEngineJobs(): Promise<void> {
    const from = Date.now();
    const share = this.serviceRandom.pick([0.2, 0.5, 1]);
    await this.records.deleteEngineKeys((keys) => this.lossRandom.some(keys, share));
    this.journal.note('engine jobs deleted', from);
  }

  private async deleteDueMembers(): Promise<void> {
    const from = Date.now();
    const share = this.serviceRandom.pick([0.2, 0.5, 1]);
    await this.records.deleteDueMembers((members) => this.lossRandom.some(members, share));
    this.journal.note('due index emptied', from);
  }

  private async disturbAgents(endsAt: number): Promise<void> {
    for (;;) {
      await sleep(this.agentRandom.between(500, 4_000));
      if (Date.now() >= endsAt) return;
      const agent = this.agentRandom.pick(this.fleet.agents);
      if (!agent.isRunning) continue;
      const chance = this.agentRandom.next();
      if (chance < 0.5) await this.crash(agent, 1);
      else if (chance < 0.75) await this.crash(agent, 3);
      else await this.freezeAgent(agent);
    }
  }

  /** `kill -9` and a new process; several times in a row: an agent that flaps. */
  private async crash(agent: AgentSlot, times: number): Promise<void> {
    const from = Date.now();
    for (let time = 0; time < times; time += 1) {
      if (time > 0) await sleep(this.agentRandom.between(0, 800));
      await agent.kill();
      await sleep(this.agentRandom.between(0, 1_000));
      await agent.start(this.fleet.skew());
    }
    this.journal.note(times > 1 ? 'agent flapped' : 'agent killed', from);
  }

  private async freezeAgent(agent: AgentSlot): Promise<void> {
    const from = Date.now();
    agent.signal('SIGSTOP');
    await sleep(this.agentRandom.between(500, 3_000));
    agent.signal('SIGCONT');
    this.journal.note('agent frozen', from);
  }

  private async pauseSchedules(endsAt: number): Promise<void> {
    const paused = this.schedules.filter(({ isPaused }) => isPaused).map(({ spec }) => spec.id);
    for (;;) {
      await sleep(this.pauseRandom.between(1_000, 4_000));
      if (Date.now() >= endsAt || paused.length === 0) return;
      const id = this.pauseRandom.pick(paused);
      await this.fleet.anywhere((client) => client.schedules.pause({ id, reason: 'for a while' }));
      await sleep(this.pauseRandom.between(500, 4_000));
      const catchUp = this.pauseRandom.next() < 0.5;
      await this.fleet.anywhere((client) => client.schedules.resume({ id, catchUp }));
    }
  }

  /** Those that run; waits until there are two, so that somebody is left. */
  private async running(): Promise<CommanderSlot[]> {
    for (;;) {
      const running = this.fleet.commanders.filter(({ isRunning }) => isRunning);
      if (running.length > 1) return running;
      await Promise.race([...this.restarts, sleep(1_000)]);
    }
  }

  private async recovery(kind: string, at: number): Promise<Recovery> {
    const ids = this.schedules.map(({ spec }) => spec.id);
    const recovery = await watchRecovery(this.records, ids, kind, at);
    for (const runId of recovery.left) {
      this.journal.violations.push(`after ${kind}: ${await this.records.everythingAbout(runId)}`);
    }
    return recovery;
  }

  private restart(commander: CommanderSlot, afterMs: number): void {
    const restart = sleep(afterMs)
      .then(() => commander.start(this.fleet.skew()))
      .finally(() => this.restarts.delete(restart));
    this.restarts.add(restart);
    const booted = restart.then(() => this.app.boot());
    this.boots = Promise.all([this.boots, booted]);
    // Awaited at the end; until then it must not count as unhandled.
    this.boots.catch(() => undefined);
    restart.catch(() => undefined);
  }
}
