/** After so many failures a hook is left alone: a broken one must not cost a throw per call for ever. */
const MAX_FAILURES = 1_000;

/** Whether hooks may run, and what became of those that failed. Shared by every wrapper of one ledger. */
export class HookState {
  active = true;
  failureCount = 0;
  lastFailure: string | null = null;
  /** Called before every hook; tests let it throw. */
  fault: ((hook: string) => void) | null = null;

  private readonly failuresByHook = new Map<string, number>();

  /** Notes a failure of the ledger's own code. Never throws. */
  failed(hook: string, error: unknown): void {
    try {
      this.failureCount++;
      this.lastFailure = `${hook}: ${error instanceof Error ? error.message : String(error)}`;
      const count = (this.failuresByHook.get(hook) ?? 0) + 1;
      this.failuresByHook.set(hook, count);
    } catch {
      // An error whose own message throws: there is nothing left to note.
    }
  }

  /** Whether a hook may run now. */
  mayRun(hook: string): boolean {
    return this.active && (this.failureCount === 0 || (this.failuresByHook.get(hook) ?? 0) < MAX_FAILURES);
  }

  /** Runs the ledger's own code inside somebody else's call. */
  run(hook: string, work: () => void): void {
    if (!this.mayRun(hook)) return;
    try {
      this.fault?.(hook);
      work();
    } catch (error) {
      this.failed(hook, error);
    }
  }

  /**
   * The same for wrappers that are called often: without a closure for every call. Not called by the other: its frame would count
   * towards the depth of a capture.
   */
  pass<T, D = undefined>(hook: string, work: (subject: T, detail: D) => void, subject: T, detail?: D): void {
    if (!this.mayRun(hook)) return;
    try {
      this.fault?.(hook);
      work(subject, detail as D);
    } catch (error) {
      this.failed(hook, error);
    }
  }
}
