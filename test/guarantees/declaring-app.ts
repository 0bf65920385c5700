import type { ScheduleSpecInput } from '../../src/contract/schedule.schema.js';
import type { Fleet } from './fleet.js';
import type { Journal } from './journal.js';
import { declarationOf, type MixedSchedule } from './schedule-mix.js';

const OWNER = 'guarantees';
const AT_ONCE_COUNT = 20;

/** A schedule's first declaration. */
export interface Declared {
  /** When it was asked for, ms since the epoch. */
  askedAt: number;
  /** What the reply named as its first due time. */
  firstTickAt: number;
}

/** An app that declares all its schedules at each of its boots: one by one, and as a set. */
export class DeclaringApp {
  private bootsCount = 0;
  private changesCount = 0;

  constructor(
    private readonly fleet: Fleet,
    private readonly schedules: readonly MixedSchedule[],
    private readonly journal: Journal,
  ) {}

  /** Boots, and how often one of the schedules that change with each of them was changed. */
  get counts(): { boots: number; changes: number } {
    return { boots: this.bootsCount, changes: this.changesCount };
  }

  /** @returns of each schedule id what its first declaration was answered */
  async firstBoot(): Promise<Map<string, Declared>> {
    const declared = new Map<string, Declared>();
    await this.each(async (spec) => {
      const askedAt = Date.now();
      const { nextRuns } = await this.fleet.anywhere((client) => client.schedules.upsert(spec));
      declared.set(spec.id, { askedAt, firstTickAt: nextRuns[0] });
    });
    await this.sync();
    return declared;
  }

  /** Declares everything again. What has not changed must not be touched. */
  async boot(): Promise<void> {
    this.bootsCount += 1;
    await this.each(async (spec, schedule) => {
      const { created, changed } = await this.fleet.anywhere((client) => client.schedules.upsert(spec));
      if (changed && schedule.isRedeclared) this.changesCount += 1;
      if (created || (changed && !schedule.isRedeclared)) {
        this.journal.violations.push(`declaring ${spec.id} again ${created ? 'made it anew' : 'changed it'}`);
      }
    });
    const { created, removed, updated } = await this.sync();
    const redeclared = new Set(this.schedules.filter((one) => one.isRedeclared).map(({ spec }) => spec.id));
    const touched = [...created, ...removed, ...updated.filter((id) => !redeclared.has(id))];
    if (touched.length > 0) this.journal.violations.push(`schedule.sync of the same set touched ${touched.join(', ')}`);
  }

  private sync() {
    const records = this.schedules.map((schedule) => declarationOf(schedule, this.bootsCount));
    return this.fleet.anywhere((client) => client.schedules.sync({ owner: OWNER, prune: true, records }));
  }

  private async each(work: (spec: ScheduleSpecInput, schedule: MixedSchedule) => Promise<void>): Promise<void> {
    const boot = this.bootsCount;
    for (let at = 0; at < this.schedules.length; at += AT_ONCE_COUNT) {
      const some = this.schedules.slice(at, at + AT_ONCE_COUNT);
      await Promise.all(some.map((schedule) => work(declarationOf(schedule, boot), schedule)));
    }
  }
}
