import { readFile } from 'node:fs/promises';
import { SettingsError } from './settings.js';

/**
 * Reads a file that a setting names; undefined when it names none.
 * @throws SettingsError naming the variable and the system's reason
 */
export async function readSettingsFile(
  variable: string,
  path: string | undefined,
  expected: string,
): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`${variable}=${JSON.stringify(path)}: expected the path of ${expected} (${reason})`);
  }
}

/** Certificate, key and CA as a setting names them, for `tls`. Each is undefined when its variable is unset. */
export interface TlsMaterial {
  ca: Buffer | undefined;
  cert: Buffer | undefined;
  key: Buffer | undefined;
}

/**
 * Reads the three PEM files that stand under variables of one prefix.
 * @throws SettingsError when one of them cannot be read
 */
export async function readTlsMaterial(
  variables: { ca: string; cert: string; key: string },
  paths: { ca?: string; cert?: string; key?: string },
): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readSettingsFile(variables.ca, paths.ca, 'a PEM file'),
    readSettingsFile(variables.cert, paths.cert, 'a PEM file'),
    readSettingsFile(variables.key, paths.key, 'a PEM file'),
  ]);
  return { ca, cert, key };
}
