import {
  type LedgerCount,
  ledgerCountsNow,
  type LedgerFrame,
  type LedgerStatus,
  ledgerStatus,
} from '../../ledger/index.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { labelsOf, stackOf } from './group-sample.js';
import { PprofTables } from './pprof-tables.js';

const LOOK_MS = 1_000;
/** Written at each look ahead: 5 µs each until it is compiled. */
const AHEAD_COUNT = 1_000;
/** One for so many that are known already is no reason to look. */
const MORE_TO_LOOK = 16;

/** So many looks that find nothing to write are followed by none. */
const MAX_IDLE_LOOKS = 3;

interface KnownGroup {
  /** As it was seen or written: another object with each look, until all of its lines were looked up. */
  readonly from: readonly LedgerFrame[];
  readonly exact: boolean;
  /** Null while it was only seen. */
  readonly written: string | null;
}

/**
 * The groups of the ledger as pprof has them, each written once: for those who pull a profile every few seconds, and for the first to
 * ask, who need not wait until all of them are. As bounded as the groups are.
 */
export class WrittenGroups implements DiagnosticsPart {
  readonly endpoints = [];
  private kept = new PprofTables();
  private readonly groups = new Map<string, KnownGroup>();
  private timer: NodeJS.Timeout | undefined;
  private ledgerStartedAt: number | null = null;
  private lookedAtCount = 0;
  private idleLooksCount = 0;
  private rewrittenCount = 0;

  start(): void {
    this.timer ??= uncounted.timers.setInterval(() => this.lookAhead(), LOOK_MS).unref();
  }

  stop(): void {
    uncounted.timers.clearInterval(this.timer);
    this.timer = undefined;
    this.forget();
  }

  /** Where the groups are written into. To be asked for after {@link keepUp}. */
  get tables(): PprofTables {
    return this.kept;
  }

  /** Before groups are written: begins anew for another run of the ledger, and when most of what is written is out of date. */
  keepUp({ startedAt }: LedgerStatus): void {
    if (startedAt === this.ledgerStartedAt && this.rewrittenCount <= this.groups.size + AHEAD_COUNT) return;
    this.forget();
    this.ledgerStartedAt = startedAt;
  }

  /** All of its sample but the values. Written now, if it was not before. */
  of(group: LedgerCount): string {
    const known = this.groups.get(group.id);
    if (known === undefined || known.written === null) return this.write(group);
    if (known.from === group.stack && known.exact === group.exact) return known.written;
    if (known.from !== group.stack) this.rewrittenCount++;
    return this.write(group);
  }

  /** Writes some of what nobody has asked for yet, and whose lines do not change any more. Never throws. */
  lookAhead(): void {
    try {
      const status = ledgerStatus();
      this.keepUp(status);
      const { groupsCount } = status;
      // A few more are soon written by who asks; to read all of them for each would cost more than it saves.
      if (groupsCount - this.lookedAtCount <= this.lookedAtCount / MORE_TO_LOOK) return;
      const wroteCount = this.writeSome(ledgerCountsNow().groups);
      if (wroteCount === AHEAD_COUNT) return;
      this.idleLooksCount = wroteCount > 0 ? 0 : this.idleLooksCount + 1;
      if (this.idleLooksCount < MAX_IDLE_LOOKS) return;
      this.idleLooksCount = 0;
      this.lookedAtCount = groupsCount;
    } catch {
      // Whoever asks for the profile is told.
    }
  }

  private writeSome(groups: readonly LedgerCount[]): number {
    let wroteCount = 0;
    for (const group of groups) {
      const known = this.groups.get(group.id);
      if (known !== undefined && known.written !== null) continue;
      if (known?.from === group.stack) {
        this.write(group);
        if (++wroteCount === AHEAD_COUNT) break;
      } else this.groups.set(group.id, { from: group.stack, exact: group.exact, written: null });
    }
    return wroteCount;
  }

  private write(group: LedgerCount): string {
    const { id, stack: from, exact } = group;
    const written = flat(this.kept.written(stackOf(group), labelsOf(group)));
    this.groups.set(id, { from, exact, written });
    return written;
  }

  private forget(): void {
    this.kept = new PprofTables();
    this.groups.clear();
    this.lookedAtCount = this.rewrittenCount = this.idleLooksCount = 0;
    this.ledgerStartedAt = null;
  }
}

/** The same in one piece: V8 would keep all the texts that it was joined from until somebody looks into it. */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}
