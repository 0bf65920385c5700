import { type RefusalCode, statusOf } from '../http/http-refusal.js';

interface RefusalText {
  readonly when: string;
  /** Header that helps to ask again. */
  readonly header?: readonly [name: string, description: string];
}

const texts: Record<RefusalCode, RefusalText> = {
  INVALID_ARGUMENT: {
    when: 'A query parameter is unknown, given twice or has no valid value, or the path is too long.',
  },
  UNAUTHENTICATED: {
    when: 'The request is not from this machine, and the token is missing or wrong.',
    header: ['WWW-Authenticate', 'The scheme that is expected.'],
  },
  FORBIDDEN: { when: "The request is not from this machine and no token is set, or is made by another site's page." },
  NOT_FOUND: { when: 'There is nothing of this name.' },
  METHOD_NOT_ALLOWED: { when: 'Asked with another method.', header: ['Allow', 'The methods there are.'] },
  PRECONDITION_FAILED: { when: 'There is no room for it now; `details` has the figures.' },
  PAYLOAD_TOO_LARGE: { when: 'The request has a body; the connection is closed.' },
  RATE_LIMITED: {
    when: 'Too many requests, or another costly one is under way.',
    header: ['Retry-After', 'Seconds to wait.'],
  },
  UNAVAILABLE: { when: 'It cannot be had now, or the process shuts down.' },
  INTERNAL: { when: 'The diagnostics failed; the log of the process says why.' },
};

/** Each refusal by its code, for `components`. */
export function refusalResponses(schema: unknown): Record<RefusalCode, unknown> {
  return Object.fromEntries(
    Object.entries(texts).map(([code, { when, header }]) => [
      code,
      {
        description: when,
        ...(header === undefined
          ? {}
          : { headers: { [header[0]]: { description: header[1], schema: { type: 'string' } } } }),
        content: { 'application/json': { schema: { allOf: [schema, { properties: { code: { const: code } } }] } } },
      },
    ]),
  ) as Record<RefusalCode, unknown>;
}

/** The responses of an operation that may be refused so, by status. */
export function refusedWith(codes: Iterable<RefusalCode>): Record<string, unknown> {
  return Object.fromEntries(
    [...new Set(codes)]
      .sort((a, b) => statusOf[a] - statusOf[b])
      .map((code) => [statusOf[code], { $ref: `#/components/responses/${code}` }]),
  );
}
