import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to keep trying. Default 20 s: what is awaited may be done by a process that shares a slow machine with many. */
  timeoutMs?: number;
  /** Pause between two tries. Default 25 ms. */
  intervalMs?: number;
  /** What is awaited, for the message of the failure. */
  what?: string;
}

/**
 * Calls `fn` until it neither throws nor returns `false`, and resolves with what it returned.
 * Works with `expect(...)` inside (throws until true) and with predicates (false until true).
 * After the deadline it rejects with the last failure as message and cause.
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  { timeoutMs = 20_000, intervalMs = 25, what }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const deadlineAt = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await fn();
      if (value !== false) return value as Exclude<T, false>;
      failure = new Error('the condition stayed false');
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadlineAt) {
      const reason = failure instanceof Error ? failure.message : String(failure);
      throw new Error(`${what ?? 'condition'}: not within ${timeoutMs} ms: ${reason}`, { cause: failure });
    }
    await sleep(intervalMs);
  }
}
