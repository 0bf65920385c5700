import { HttpException } from '@nestjs/common';

/** Codes that the diagnostics endpoints answer with; `code` of the body. */
export type RefusalCode = 'INVALID_ARGUMENT' | 'UNAUTHENTICATED' | 'FORBIDDEN';

const statusOf: Record<RefusalCode, number> = { INVALID_ARGUMENT: 400, UNAUTHENTICATED: 401, FORBIDDEN: 403 };

/** A refused request: body `{code, message, retryable}`, the shape of every error of this service. */
export class HttpRefusal extends HttpException {
  constructor(code: RefusalCode, message: string, details?: Record<string, unknown>) {
    super({ code, message, retryable: false, ...(details === undefined ? {} : { details }) }, statusOf[code]);
  }
}
