import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { UsageError } from '../usage.error.js';

/** What `JSON.parse` can give. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Reads JSON given as text. */
export function readJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UsageError(`no JSON: ${(error as Error).message}`);
  }
}

/** Reads the JSON of a file; `-` is the standard input. @throws UsageError naming the file */
export async function readJsonFile(path: string): Promise<Json> {
  let text: string;
  try {
    text = path === '-' ? await readStream(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
  try {
    // Some editors begin a file with a byte order mark, which JSON does not know.
    return readJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}
