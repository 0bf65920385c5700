/**
 * Every error a caller can get, one stable code each. A code is never reused for another meaning.
 * `retryable` says whether the same request may succeed later, unchanged.
 */
export const errorCodes = {
  INVALID_ARGUMENT: { retryable: false, meaning: 'the request does not fit the contract; nothing was changed' },
  NOT_FOUND: { retryable: false, meaning: 'no such command, schedule, run, agent or result' },
  ALREADY_EXISTS: { retryable: false, meaning: 'the id is taken by something else' },
  VERSION_CONFLICT: { retryable: false, meaning: 'the record changed since the version that the caller expected' },
  NO_AGENT: { retryable: true, meaning: 'no agent matches the route, or none that matches can take work' },
  OVERLAP_SKIPPED: { retryable: false, meaning: 'the overlap policy refused a second run beside a running one' },
  DEADLINE_EXCEEDED: { retryable: true, meaning: 'the time that the caller gave ran out' },
  CANCELLED: { retryable: false, meaning: 'the run was cancelled' },
  UNAVAILABLE: { retryable: true, meaning: 'commander cannot reach what it needs (Redis, an agent) right now' },
  RATE_LIMITED: { retryable: true, meaning: 'a limit on connections, requests or capacity was reached' },
  UNAUTHENTICATED: { retryable: false, meaning: 'the token is missing or wrong' },
  FORBIDDEN: { retryable: false, meaning: 'the caller is known, and may not do this' },
  SHUTTING_DOWN: { retryable: true, meaning: 'this replica is draining; repeat the request on another connection' },
  BROKEN_RECORD: {
    retryable: false,
    meaning: 'what Redis holds under this id cannot be read: something else wrote there; nothing was changed',
  },
  INTERNAL: { retryable: false, meaning: 'a defect in commander; its log has the details under the request id' },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** An error as it travels in the `err` field of a Nest TCP packet. */
export interface WireError {
  code: ErrorCode;
  /** One sentence for a person. Never contains the text or stack of an internal error. */
  message: string;
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  /** Machine-readable facts, for instance `issues` of a refused payload. */
  details?: Record<string, unknown>;
}

/** The one error class on both sides of the wire: thrown by handlers, rebuilt by `CommanderClient`. */
export class CommandError extends Error implements WireError {
  override readonly name = 'CommandError';
  readonly retryable: boolean;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
    this.retryable = errorCodes[code].retryable;
  }

  /** The plain object that is put on the wire. */
  toWire(): WireError {
    const { code, message, retryable, details } = this;
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
  }

  /**
   * Rebuilds the error from what a Nest client receives in `err`: a wire error, or whatever else a server or a broken
   * connection produced (then `UNAVAILABLE` for lost connections and `INTERNAL` for the rest).
   */
  static fromWire(value: unknown): CommandError {
    if (value instanceof CommandError) return value;
    if (isWireError(value)) return new CommandError(value.code, value.message, value.details);
    const text = value instanceof Error ? value.message : typeof value === 'string' ? value : 'unknown error';
    const systemCode = (value as { code?: unknown } | null)?.code;
    if (
      text === 'Connection closed' ||
      (typeof systemCode === 'string' && /^(E[A-Z]+|ERR_[A-Z_]+)$/.test(systemCode))
    ) {
      return new CommandError('UNAVAILABLE', `connection failed: ${text}`);
    }
    return new CommandError('INTERNAL', text);
  }
}

/** Whether a value received from the wire is an error of this contract. */
export function isWireError(value: unknown): value is WireError {
  const candidate = value as Partial<WireError> | null;
  return (
    typeof candidate === 'object' &&
    candidate !== null &&
    typeof candidate.message === 'string' &&
    typeof candidate.code === 'string' &&
    Object.hasOwn(errorCodes, candidate.code)
  );
}
