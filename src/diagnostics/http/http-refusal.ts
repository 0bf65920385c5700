import { z } from 'zod';

/** Codes that the diagnostics endpoints answer with; `code` of the body. */
export type RefusalCode =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'PRECONDITION_FAILED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

export const statusOf: Readonly<Record<RefusalCode, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

/** Body of every refused request. */
export const refusalSchema = z
  .strictObject({
    /** Stable; what programs look at. */
    code: z.enum(Object.keys(statusOf) as RefusalCode[]),
    /** For people. */
    message: z.string(),
    /** Whether the same request may succeed later. */
    retryable: z.boolean(),
    /** Figures and names that help to ask better. */
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Refusal' });

interface RefusalExtras {
  /** Figures and names that help to ask better. */
  details?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** A refused request, with the shape that every error of this service has. */
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
