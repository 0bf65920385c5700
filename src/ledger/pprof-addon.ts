import type * as Pprof from '@datadog/pprof';

/**
 * The native profilers of @datadog/pprof. Loaded when first needed: it costs some 10 MB, and nothing else is to fail where
 * there is no binary for the platform.
 * @throws Error where it cannot be loaded
 */
export function loadPprof(): typeof Pprof {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- not before it is needed, and then at once
  return require('@datadog/pprof') as typeof Pprof;
}

/** Why it could not be loaded, or did not start. The text of the error names paths of the machine; its code does. */
export function pprofFailure(what: string, error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${what} (${code})` : what;
}
