import { isNativeError } from 'node:util/types';

/** What is shown in the place of a section that could not be read. */
export interface SectionError {
  error: string;
}

/** A failure whose text we wrote ourselves, so that it may be shown. */
export class ShownError extends Error {
  override readonly name = 'ShownError';
}

/**
 * The class and code of a failure. Its text is for the log only: the messages of clients and drivers quote addresses with
 * credentials, keys and arguments.
 */
export function sectionError(failure: unknown): SectionError {
  if (failure instanceof ShownError) return { error: failure.message };
  // Not by `instanceof`: a failure of the file system may come from another realm.
  if (!isNativeError(failure)) return { error: 'failed' };
  const { code } = failure as { code?: unknown };
  const kind = /^\w{1,64}$/.test(failure.name) ? failure.name : 'Error';
  return { error: typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? `${kind} (${code})` : kind };
}
