import type { Verdict, VerdictState } from '../../contract/verdict.schema.js';
import type { Finding } from '../../ledger/index.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';

/** One line in the log whenever a verdict changes: for alerts that read logs, and for whoever looks afterwards. */
export class VerdictLog {
  private readonly told = new Map<string, VerdictState>();
  private isLooking = false;

  /** @param read all verdicts with their places; called only after something has changed */
  constructor(
    private readonly log: DiagnosticsLog,
    private readonly read: () => Promise<readonly Verdict[]>,
  ) {}

  /** To be called after each look of the detector. Rejects when the verdicts cannot be read: the next look tells the change. */
  async look(findings: readonly Finding[]): Promise<void> {
    // What goes with another is told by that one.
    const changed = findings.some(({ id, state, partOf }) => partOf === undefined && this.isNews(id, state));
    if (!changed || this.isLooking) return;
    this.isLooking = true;
    try {
      for (const verdict of await this.read()) this.tell(verdict);
    } finally {
      this.isLooking = false;
    }
  }

  private tell({ id, state, sentence, partOf }: Verdict): void {
    if (partOf !== undefined || !this.isNews(id, state)) return;
    if (state === 'leaking') this.log.warn(`leaking: ${sentence}`);
    else if (state === 'growing') this.log.info(`growing: ${sentence}`);
    else this.log.info(`no longer ${this.told.get(id)}: ${sentence}`);
    if (state === 'leaking' || state === 'growing') this.told.set(id, state);
    else this.told.delete(id);
  }

  private isNews(id: string, state: VerdictState): boolean {
    const before = this.told.get(id);
    if (state === 'leaking' || state === 'growing') return before !== state;
    return before !== undefined;
  }
}
