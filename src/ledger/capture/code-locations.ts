import { fileURLToPath } from 'node:url';
import { dirname, sep } from 'node:path';
import type { LedgerFrame, LedgerSite } from '../ledger-snapshot.js';

/** `hidden`: Node itself, the ledger, code without a file. `library`: somebody else's. `user`: the application's. */
export type CodeOwner = 'hidden' | 'library' | 'user';

export interface CodeFile {
  readonly path: string;
  readonly owner: CodeOwner;
  /** Interned number, part of the key of a location. */
  readonly number: number;
}

/** One call in one file, as the running JavaScript has it. Positions are 1-based. */
export interface CodeLocation {
  readonly number: number;
  readonly file: CodeFile;
  readonly line: number;
  readonly column: number;
  readonly functionName: string | null;
  /** Position in the source the file was compiled from: undefined until asked for, null when there is none. */
  original?: { path: string; line: number; column: number } | null;
  /** How it was shown last, and for which `original`: what is looked at often is put together once. */
  shown?: { readonly frame: LedgerFrame; readonly site: LedgerSite; readonly original: CodeLocation['original'] };
}

/** Other copies of the ledger run from other directories; this one need not be named by its path alone. */
const LEDGER_DIRECTORY = dirname(__dirname) + sep;

const MAX_FILES = 2_048;
const MAX_LOCATIONS = 8_192;
const POSITIONS_PER_FILE = 2 ** 32;
/** Lines, and columns, told apart: with the number of the file they fill the 53 bits of a whole number. */
const TEXT_SPAN = 2 ** 21;

/** Every file and line the ledger has seen, once each, up to a bound. */
export class CodeLocations {
  private readonly files = new Map<string, CodeFile>();
  private readonly locations = new Map<number, CodeLocation>();
  /** Lines that did not fit and went to `(other)`. */
  refusedCount = 0;

  get fileCount(): number {
    return this.files.size;
  }

  get locationCount(): number {
    return this.locations.size;
  }

  /** Undefined when the table of files is full. */
  fileOf(callSite: NodeJS.CallSite): CodeFile | undefined {
    // An ES module names itself by URL, everything else by path.
    const name = callSite.getFileName() ?? '';
    const known = this.files.get(name);
    if (known) return known;
    if (this.files.size >= MAX_FILES) return undefined;
    const path = name.startsWith('file:') ? fileURLToPath(name) : name;
    const file: CodeFile = { path, owner: ownerOf(path), number: this.files.size };
    this.files.set(name, file);
    return file;
  }

  /** Undefined when the table of locations is full. */
  locate(file: CodeFile, callSite: NodeJS.CallSite): CodeLocation | undefined {
    const key = file.number * POSITIONS_PER_FILE + (callSite as unknown as { getPosition(): number }).getPosition();
    const known = this.locations.get(key);
    if (known) return known;
    const line = callSite.getLineNumber() ?? 0;
    return this.intern(key, file, line, callSite.getColumnNumber() ?? 0, functionNameOf(callSite));
  }

  /** The location of a frame that is known as text only. */
  locateText(name: string, line: number, column: number, functionName: string | null): CodeLocation | undefined {
    const path = name.startsWith('file:') ? fileURLToPath(name) : name;
    let file = this.files.get(name);
    if (!file) {
      if (this.files.size >= MAX_FILES) return undefined;
      file = { path, owner: ownerOf(path), number: this.files.size };
      this.files.set(name, file);
    }
    // Below zero, where no call site's position can be. A bundle has all its functions on one line.
    const key = -(file.number * TEXT_SPAN * TEXT_SPAN + (line % TEXT_SPAN) * TEXT_SPAN + (column % TEXT_SPAN) + 1);
    return this.locations.get(key) ?? this.intern(key, file, line, column, functionName);
  }

  private intern(key: number, file: CodeFile, line: number, column: number, functionName: string | null) {
    if (this.locations.size >= MAX_LOCATIONS) {
      this.refusedCount++;
      return undefined;
    }
    const location: CodeLocation = { number: this.locations.size, file, line, column, functionName };
    this.locations.set(key, location);
    return location;
  }
}

function ownerOf(path: string): CodeOwner {
  if (path === '' || path.startsWith('node:') || path.startsWith(LEDGER_DIRECTORY)) return 'hidden';
  // Loaded by Node from memory: `evalmachine.<anonymous>`, `[eval]`, `wasm://`.
  if (!path.includes(sep) && !/^\[eval/.test(path)) return 'hidden';
  return path.includes(`${sep}node_modules${sep}`) ? 'library' : 'user';
}

function functionNameOf(callSite: NodeJS.CallSite): string | null {
  const name = callSite.getFunctionName();
  if (!name) return null;
  if (callSite.isConstructor()) return `new ${name}`;
  if (name.includes('.')) return name;
  const typeName = callSite.isToplevel() ? null : callSite.getTypeName();
  return typeName && typeName !== 'Object' && typeName !== 'global' && typeName !== 'Function'
    ? `${typeName}.${name}`
    : name;
}
