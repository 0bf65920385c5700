/** What a job handler gets beside its payload. */
export interface JobContext {
  readonly runId: string;
  /** Name under which the handler was called. */
  readonly jobName: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Grows with each dispatch of the run. Writes of an older epoch may be refused by whoever keeps the newest. */
  readonly epoch: number;
  /** The same for every attempt of the run: give it to whatever must not happen twice. */
  readonly idempotencyKey: string;
  /** Fires on cancel, deadline and shutdown; its reason is a CommandError. Hand it to `fetch` and the like. */
  readonly signal: AbortSignal;
  /** ms since the epoch by this process's clock. Moves when commander dispatches the same run again to join this execution. */
  readonly deadlineAt: number;
  readonly scheduleId?: string;
  /** When the tick was due, ms since the epoch. */
  readonly tickAt?: number;
  /** Which part of the work this run has, if it is split. */
  readonly shard?: { readonly index: number; readonly total: number };
  readonly headers: Readonly<Record<string, string>>;
}

/** A handler of any payload. What it returns (a JSON value) is the result of the run. */
export type JobHandlerFunction<Payload = never> = (payload: Payload, context: JobContext) => unknown;
