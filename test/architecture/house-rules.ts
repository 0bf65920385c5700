import ts from 'typescript';
import type { ImportGraph } from './import-graph.js';

/** The list of the architecture document, top to bottom: a folder imports from folders below it only. Folders of one line do not know each other. */
export const LAYERS: readonly (readonly string[])[] = [
  ['(composition)'],
  ['diagnostics', 'health'],
  ['schedules'],
  ['runs'],
  ['agents'],
  ['transport'],
  ['redis', 'lifecycle'],
  ['config', 'contract', 'deadlines', 'ledger', 'logging'],
];

/** Folders outside the list, which run outside commander: nothing of the list imports them, and they know these alone. */
const FOR_OTHER_APPS: Readonly<Record<string, readonly string[]>> = {
  sdk: ['contract'],
  cli: ['sdk', 'contract'],
  jest: ['ledger'],
  // Runs in a browser, and takes types from the contract, and how amounts are written.
  page: ['contract'],
};

const COMPOSITION = ['main.ts', 'app.module.ts'];

/**
 * What `exports` of package.json leads to, with the folders that each may reach, however indirectly: it runs in other apps,
 * where nothing else of ours does. Only these files may be nothing but re-exports.
 */
export const PUBLIC_ENTRIES: Readonly<Record<string, readonly string[]>> = {
  'contract/index.ts': ['contract'],
  'diagnostics/index.ts': ['diagnostics', 'ledger', 'contract'],
  'diagnostics/standalone.ts': ['diagnostics', 'ledger', 'contract'],
  'jest/index.ts': ['jest', 'ledger'],
  'ledger/index.ts': ['ledger'],
  'sdk/agent.ts': ['sdk', 'contract'],
  'sdk/client.ts': ['sdk', 'contract'],
};

/** Imports that break the direction, each as one line that names both files. */
export function directionBreaches(graph: ImportGraph): string[] {
  const breaches: string[] = [];
  for (const [file, targets] of graph) {
    const from = folderOf(file);
    if (levelOf(from) === undefined && !FOR_OTHER_APPS[from])
      breaches.push(`${file}: the folder ${from} is not in the list`);
    for (const target of targets) {
      const reason = breach(from, folderOf(target));
      if (reason) breaches.push(`${file} -> ${target}: ${reason}`);
    }
  }
  return breaches;
}

function breach(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const allowed = FOR_OTHER_APPS[from];
  if (allowed) return allowed.includes(to) ? undefined : `${from} knows only ${allowed.join(', ')}`;
  const [fromLevel, toLevel] = [levelOf(from), levelOf(to)];
  if (toLevel === undefined) return `${to} is not for use in here`;
  if (fromLevel === undefined || fromLevel < toLevel) return undefined;
  return fromLevel === toLevel ? 'sideways' : 'upward';
}

/** Files that a public entry leads to although other apps do not run them, each with the way there. */
export function entryBreaches(graph: ImportGraph): string[] {
  return Object.entries(PUBLIC_ENTRIES).flatMap(([entry, allowed]) => {
    const wayTo = new Map([[entry, entry]]);
    // A Map goes on to iterate over what is added meanwhile.
    for (const [file, way] of wayTo) {
      for (const target of graph.get(file) ?? []) if (!wayTo.has(target)) wayTo.set(target, `${way} -> ${target}`);
    }
    return [...wayTo].filter(([file]) => !allowed.includes(folderOf(file))).map(([, way]) => way);
  });
}

function folderOf(file: string): string {
  if (COMPOSITION.includes(file)) return '(composition)';
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '(root)';
}

function levelOf(folder: string): number | undefined {
  const level = LAYERS.findIndex((folders) => folders.includes(folder));
  return level === -1 ? undefined : level;
}

/** Files whose name says nothing about what they hold, and tests beside sources. */
export function namingBreaches(files: Iterable<string>): string[] {
  return [...files].filter((file) => {
    const words = file.replace(/\.ts$/, '').split(/[/.-]/);
    return words.some((word) => /^(utils?|helpers?|misc)$/i.test(word)) || /\.(spec|test)\.ts$/.test(file);
  });
}

/** Files that only pass on what others export (or are called index.ts) and are no public entry. */
export function barrels(sources: Map<string, string>): string[] {
  return [...sources.keys()].filter((file) => {
    if (file in PUBLIC_ENTRIES) return false;
    if (/(^|\/)index\.ts$/.test(file)) return true;
    const { statements } = ts.createSourceFile(file, sources.get(file)!, ts.ScriptTarget.Latest);
    return statements.length > 0 && statements.every((node) => ts.isExportDeclaration(node) && node.moduleSpecifier);
  });
}
