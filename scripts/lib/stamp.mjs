import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, inCheckout } from './checkout.mjs';

/** SHA-256 over names and contents of files and whole folders of the checkout; absent ones count as absent. */
export function hashOf(...paths) {
  const hash = createHash('sha256');
  for (const path of paths) addTo(hash, path);
  return hash.digest('hex');
}

function addTo(hash, path) {
  const full = join(checkout, path);
  if (!existsSync(full)) return;
  if (statSync(full).isDirectory()) {
    for (const name of readdirSync(full).sort()) addTo(hash, join(path, name));
    return;
  }
  const content = readFileSync(full);
  hash.update(`${path}\0${content.length}\0`).update(content);
}

/** Whether the stamp file says that its folder was made from exactly this. */
export function isStamped(stampPath, value) {
  try {
    return readFileSync(inCheckout(stampPath), 'utf8') === value;
  } catch {
    return false;
  }
}

export function writeStamp(stampPath, value) {
  writeFileSync(inCheckout(stampPath), value);
}
