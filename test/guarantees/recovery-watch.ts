import { setTimeout as sleep } from 'node:timers/promises';
import type { Recovery } from './journal.js';
import type { Records } from './records.js';

const LOOK_EVERY_MS = 50;
/** From then on what is known of one that is left is written down now and then, so that a breach explains itself. */
const SLOW_MS = 6_000;
const SLOW_EVERY_MS = 1_000;
/** Looked on for longer than the promise, so that a breach has a number. */
const GIVE_UP_MS = 40_000;

/**
 * Waits until everything that was under way or overdue at this moment has gone on: a run ended, was put off or was dispatched anew,
 * a due tick was dealt with. Divided runs are left out, their parts are counted.
 * @param at from when the time counts, ms since the epoch
 */
export async function watchRecovery(
  records: Records,
  scheduleIds: readonly string[],
  kind: string,
  at: number,
): Promise<Recovery> {
  const goneAt = Date.now();
  const [runs, ticks] = await Promise.all([RunsUnderWay.now(records), OverdueTicks.now(records, scheduleIds)]);
  let takeoverMs = 0;
  let overdueTicksMs = 0;
  const slow: string[] = [];
  while (runs.leftCount + ticks.leftCount > 0 && Date.now() - at < GIVE_UP_MS) {
    await sleep(LOOK_EVERY_MS);
    const [takenOver, dealtWith] = await Promise.all([runs.look(), ticks.look()]);
    const passedMs = Date.now() - at;
    if (takenOver) takeoverMs = passedMs;
    if (dealtWith) overdueTicksMs = passedMs;
    if (runs.leftCount > 0 && passedMs > SLOW_MS + slow.length * SLOW_EVERY_MS) {
      slow.push(`after ${passedMs} ms: ${await records.everythingAbout(runs.left()[0])}`);
    }
  }
  if (runs.leftCount > 0) takeoverMs = Infinity;
  if (ticks.leftCount > 0) overdueTicksMs = Infinity;
  return { kind, at, goneAt, takeoverMs, overdueTicksMs, takenOverCount: runs.takenOverCount, left: runs.left(), slow };
}

class RunsUnderWay {
  takenOverCount = 0;

  private constructor(
    private readonly records: Records,
    /** Run id → epoch. */
    private readonly epochs: Map<string, number>,
  ) {}

  static async now(records: Records): Promise<RunsUnderWay> {
    const ids = await records.openRunIds();
    const epochs = new Map<string, number>();
    (await records.standings(ids)).forEach((standing, index) => {
      if (standing?.state === 'running' && !standing.isDivided) epochs.set(ids[index], standing.epoch);
    });
    return new RunsUnderWay(records, epochs);
  }

  get leftCount(): number {
    return this.epochs.size;
  }

  left(): string[] {
    return [...this.epochs.keys()];
  }

  /** @returns whether one was taken over since the last look */
  async look(): Promise<boolean> {
    const before = this.takenOverCount;
    const ids = this.left();
    (await this.records.standings(ids)).forEach((standing, index) => {
      const isDispatchedAnew = standing !== undefined && standing.epoch !== this.epochs.get(ids[index]);
      if (!isDispatchedAnew && standing?.state === 'running') return;
      this.epochs.delete(ids[index]);
      // A cancel raises the epoch, too, but nobody takes over.
      if (isDispatchedAnew && standing.state !== 'cancelled') this.takenOverCount += 1;
    });
    return this.takenOverCount > before;
  }
}

class OverdueTicks {
  private constructor(
    private readonly records: Records,
    /** Schedule id → the tick that is overdue. */
    private readonly ticks: Map<string, number>,
  ) {}

  static async now(records: Records, scheduleIds: readonly string[]): Promise<OverdueTicks> {
    const now = Date.now();
    const pending = await records.pendingTicks(scheduleIds);
    const ticks = new Map<string, number>();
    for (const [id, { tickAt, dueAt }] of pending) if (dueAt <= now) ticks.set(id, tickAt);
    return new OverdueTicks(records, ticks);
  }

  get leftCount(): number {
    return this.ticks.size;
  }

  /** @returns whether one was dealt with since the last look */
  async look(): Promise<boolean> {
    const before = this.ticks.size;
    const pending = await this.records.pendingTicks([...this.ticks.keys()]);
    for (const [id, tickAt] of this.ticks) if (pending.get(id)?.tickAt !== tickAt) this.ticks.delete(id);
    return this.ticks.size < before;
  }
}
