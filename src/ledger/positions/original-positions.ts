import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scanMappings, type GeneratedPosition } from './source-map-scan.js';

/** Positions asked of one generated file. */
export interface PositionRequest {
  readonly path: string;
  readonly positions: readonly GeneratedPosition[];
}

/** Where a position was written, or null when the file has no map, or the map has nothing for it. */
export type OriginalPlace = { path: string; line: number; column: number } | null;

interface SourceMap {
  mappings?: string;
  sources?: (string | null)[];
  sourceRoot?: string;
  sections?: { offset: { line: number; column: number }; map: SourceMap }[];
}

/** Reads the map of one file from disk (or from its inline comment) and looks the positions up. */
export function originalPlaces(request: PositionRequest): OriginalPlace[] {
  return placesIn(readMap(request.path, Infinity), request);
}

/** The same where code and map have `mostBytes` at most each. Undefined where there is more to read: nothing was parsed. */
export function originalPlacesOfSmall(request: PositionRequest, mostBytes: number): OriginalPlace[] | undefined {
  const found = readMap(request.path, mostBytes);
  return found === 'large' ? undefined : placesIn(found, request);
}

interface FoundMap {
  readonly map: SourceMap;
  readonly directory: string;
}

function placesIn(found: FoundMap | 'large' | null, { positions }: PositionRequest): OriginalPlace[] {
  if (!found || found === 'large') return positions.map(() => null);
  const { map, directory } = found;
  try {
    const sources = (map.sources ?? []).map((source) => sourcePath(source ?? '', map.sourceRoot ?? '', directory));
    return scanMappings(map.mappings ?? '', sources, positions).map(
      (place) => place && { path: place.source, line: place.line, column: place.column },
    );
  } catch {
    // JSON, but no map: it must not keep the lines of other files from those who ask.
    return positions.map(() => null);
  }
}

function readMap(path: string, mostBytes: number): FoundMap | 'large' | null {
  try {
    if (statSync(path).size > mostBytes) return 'large';
    const code = readFileSync(path, 'utf8');
    const start = Math.max(code.lastIndexOf('//# sourceMappingURL='), code.lastIndexOf('//@ sourceMappingURL='));
    if (start < 0) return null;
    const url = code.slice(start + '//# sourceMappingURL='.length).split(/[\s*]/, 1)[0];
    const inline = /^data:application\/json[^,]*?(;base64)?,/.exec(url);
    if (inline) {
      const data = url.slice(inline[0].length);
      const json = inline[1] ? Buffer.from(data, 'base64').toString('utf8') : decodeURIComponent(data);
      return { map: JSON.parse(json) as SourceMap, directory: dirname(path) };
    }
    const mapPath = url.startsWith('file:') ? fileURLToPath(url) : resolve(dirname(path), decodeURIComponent(url));
    if (statSync(mapPath).size > mostBytes) return 'large';
    return { map: JSON.parse(readFileSync(mapPath, 'utf8')) as SourceMap, directory: dirname(mapPath) };
  } catch {
    // No file, no map, or one that is not JSON: the position in the generated code is what there is.
    return null;
  }
}

function sourcePath(source: string, sourceRoot: string, directory: string): string {
  if (source.startsWith('file:')) return fileURLToPath(source);
  // Bundlers invent a scheme: webpack://name/./src/a.ts
  const bundled = /^[a-z][a-z-]+:\/\/[^/]*\/(.*)$/.exec(source);
  return bundled ? resolve(directory, '..', bundled[1]) : resolve(directory, sourceRoot, source);
}
