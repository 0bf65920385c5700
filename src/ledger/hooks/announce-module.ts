/** What a loader hook returns. */
export interface LoadedSource {
  format?: string | null;
  source?: unknown;
}

/** What a package shows from its index; and Nest's injector, which no index shows. */
const WANTED_FILES = /\/(?:index|injector\/injector)\.m?js$/;

/** Appends to an ES module of a wanted package one line that tells the ledger of it. No line before it moves. */
export function announcing(url: string, loaded: LoadedSource, packageNames: readonly string[]): LoadedSource {
  const { format, source } = loaded;
  if (format !== 'module' || source === null || source === undefined) return loaded;
  if (!packageNames.some((name) => url.includes(`/node_modules/${name}/`)) || !WANTED_FILES.test(url)) return loaded;
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
  const quoted = JSON.stringify(url);
  return {
    ...loaded,
    // A module may import itself: at its end everything it exports is there.
    source: `${text}\nimport * as muLedgerSelf from ${quoted};globalThis[Symbol.for('mu-commander.ledger')]?.moduleSeen(${quoted},muLedgerSelf);`,
  };
}
