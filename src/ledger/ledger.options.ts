/** What a ledger may spend. Everything has a default; nothing needs to be set. */
export interface LedgerOptions {
  /** Stacks taken per second and kind, for ever. Above it a random share is taken. Default 20. */
  capturesPerSecond?: number;
  /** Stacks taken at once after a quiet time. Default 200. */
  captureBurst?: number;
  /** Share of one core the ledger may use by its own measure before it takes fewer stacks. Default 0.01. */
  budgetShare?: number;
  /** Creation sites per kind before the rest go to `(other)`. Default 512. */
  maxGroupsPerKind?: number;
  /** Creation sites over all kinds. Default 4096. */
  maxGroups?: number;
  /** Resources of one kind watched one by one. Default 4096. */
  maxSamplesPerKind?: number;
  /** Resources of all kinds watched one by one. Default 16384. */
  maxSamples?: number;
  /** Files are shown relative to it. Default: the nearest directory with a package.json above the main script. */
  projectRoot?: string;
  /** Kinds not to hook, by the name in the table of kinds. Default none. */
  without?: readonly string[];
  /** Further global objects whose timers are counted: the sandboxes of a test runner. Default none. */
  globals?: readonly object[];
  /** Every stack as text names the sources already, whatever the files are called: jest compiles in memory. Default false. */
  stacksAreMapped?: boolean;
}

/** `LedgerOptions` with every default filled in. */
export type LedgerSettings = Required<LedgerOptions>;

export function ledgerSettings(options: LedgerOptions, projectRoot: () => string): LedgerSettings {
  return {
    capturesPerSecond: options.capturesPerSecond ?? 20,
    captureBurst: options.captureBurst ?? 200,
    budgetShare: options.budgetShare ?? 0.01,
    maxGroupsPerKind: options.maxGroupsPerKind ?? 512,
    maxGroups: options.maxGroups ?? 4_096,
    maxSamplesPerKind: options.maxSamplesPerKind ?? 4_096,
    maxSamples: options.maxSamples ?? 16_384,
    projectRoot: options.projectRoot ?? projectRoot(),
    without: options.without ?? [],
    globals: options.globals ?? [],
    stacksAreMapped: options.stacksAreMapped ?? false,
  };
}
