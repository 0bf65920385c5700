import { announcing, type LoadedSource } from './announce-module.js';

// Runs in the loader thread of Node 20.
let packageNames: readonly string[] = [];

export function initialize(data: { packageNames: readonly string[] }): void {
  ({ packageNames } = data);
}

export async function load(
  url: string,
  context: object,
  nextLoad: (url: string, context: object) => Promise<LoadedSource>,
): Promise<LoadedSource> {
  return announcing(url, await nextLoad(url, context), packageNames);
}
