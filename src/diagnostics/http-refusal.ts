import { HttpException } from '@nestjs/common';

/** Codes that the diagnostics endpoints answer with; `code` of the body. */
export type RefusalCode = 'INVALID_ARGUMENT' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'RATE_LIMITED';

const statusOf: Record<RefusalCode, number> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
};

/** A refused request: body `{code, message, retryable}`, the shape of every error of this service. */
export class HttpRefusal extends HttpException {
  constructor(code: RefusalCode, message: string, details?: Record<string, unknown>) {
    super(
      { code, message, retryable: code === 'RATE_LIMITED', ...(details === undefined ? {} : { details }) },
      statusOf[code],
    );
  }
}
