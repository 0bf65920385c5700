/** The command line is wrong: nothing was sent. The message is one sentence for a person. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    message: string,
    /** Whose help to look at: `schedules pause`; empty for the program's. */
    readonly about = '',
  ) {
    super(message);
  }
}
