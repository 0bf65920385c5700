/** Thrown by a job handler to say how its failure is to be taken; every other error means "may be tried again". */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  /** Whether another attempt may succeed. false ends the run whatever its retry policy says. */
  readonly retryable: boolean;

  constructor(message: string, { retryable = true, cause }: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.retryable = retryable;
  }
}
