/** Codes that the diagnostics endpoints answer with; `code` of the body. */
export type RefusalCode =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'PRECONDITION_FAILED'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

const statusOf: Record<RefusalCode, number> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PRECONDITION_FAILED: 412,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

interface RefusalExtras {
  /** Figures and names that help to ask better. */
  details?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** A refused request: body `{code, message, retryable, details?}`, the shape of every error of this service. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;

  constructor(
    readonly code: RefusalCode,
    message: string,
    private readonly extras: RefusalExtras = {},
  ) {
    super(message);
    this.status = statusOf[code];
  }

  get headers(): Record<string, string> {
    return this.extras.headers ?? {};
  }

  body(): string {
    const { code, message } = this;
    const { details } = this.extras;
    const retryable = code === 'RATE_LIMITED' || code === 'UNAVAILABLE';
    return `${JSON.stringify({ code, message, retryable, ...(details === undefined ? {} : { details }) }, null, 2)}\n`;
  }
}
