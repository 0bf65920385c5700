import type { z } from 'zod';

const MAX_ISSUES = 20;
const MAX_TEXT_LENGTH = 200;

/** One thing that is wrong with a payload. */
export interface PayloadIssue {
  /** Where, as `job.headers.x` or `records.3.id`; empty for the payload itself. */
  path: string;
  message: string;
}

/** What a schema found, cut to 20 issues of at most 200 characters: the caller wrote the text that is repeated here. */
export function payloadIssues(error: z.ZodError): PayloadIssue[] {
  return error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: cut(
      path
        .slice(0, MAX_ISSUES)
        .map((part) => cut(String(part)))
        .join('.'),
    ),
    message: cut(message),
  }));
}

/** At most `max` characters of a text that a caller chose. */
export function cut(text: string, max = MAX_TEXT_LENGTH): string {
  return text.length <= max ? text : `${text.slice(0, max)}…`;
}
