import type { ServeDiagnosticsOptions } from './serve-diagnostics.js';

/**
 * What `serveDiagnostics` is told by the environment; docs/diagnostics.md lists the variables. An empty one counts as unset.
 * @returns null where `MU_DIAGNOSTICS_PORT` is unset: nothing is to be served
 * @throws Error naming the variable that cannot be used
 */
export function environmentOptions(env: NodeJS.ProcessEnv): ServeDiagnosticsOptions | null {
  const variables = new Variables(env);
  const port = variables.number('PORT', 0, 65_535);
  if (port === undefined) return null;
  return {
    port,
    host: variables.text('HOST'),
    token: variables.text('TOKEN'),
    trustLoopback: variables.choice('TRUST_LOOPBACK', ['true', 'false']) !== 'false',
    insecure: variables.choice('INSECURE', ['true', 'false']) === 'true',
    metrics: variables.choice('METRICS', ['true', 'false']) !== 'false',
    heapSampling: variables.choice('HEAP_SAMPLING', ['demand', 'always']),
    recorder: {
      directory: variables.text('EVIDENCE_DIR'),
      maxBytes: variables.number('EVIDENCE_MAX_BYTES', 1_048_576, Number.MAX_SAFE_INTEGER),
      instance: variables.text('INSTANCE'),
      intervalMs: variables.number('RECORDER_INTERVAL_MS', 100, 3_600_000),
      softLimitRatio: variables.ratio('MEMORY_SOFT_LIMIT_RATIO'),
    },
  };
}

/** Variables that begin with `MU_DIAGNOSTICS_`. */
class Variables {
  constructor(private readonly env: NodeJS.ProcessEnv) {}

  text(name: string): string | undefined {
    return this.env[`MU_DIAGNOSTICS_${name}`] || undefined;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    return this.checked(
      name,
      (text) => choices.find((choice) => choice === text),
      choices.map((choice) => `"${choice}"`).join(' or '),
    );
  }

  number(name: string, min: number, max: number): number | undefined {
    return this.checked(
      name,
      (text) => (/^\d{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min} on` : `${min} to ${max}`,
    );
  }

  ratio(name: string): number | undefined {
    return this.checked(
      name,
      (text) =>
        /^\d{0,3}(?:\.\d{1,9})?$/.test(text) && Number(text) > 0 && Number(text) <= 1 ? Number(text) : undefined,
      'above 0, up to 1',
    );
  }

  private checked<Value>(name: string, read: (text: string) => Value | undefined, expected: string): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = read(text);
    if (value === undefined) throw new Error(`MU_DIAGNOSTICS_${name}=${JSON.stringify(text)}: expected ${expected}`);
    return value;
  }
}
