import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { packageManifest } from './package-manifest.mjs';

/** What other applications run: the public entries, the terminal, and all that these reach. */
const FOLDERS = ['cli', 'contract', 'diagnostics', 'jest', 'ledger', 'sdk'];

/** Of them, what only commander itself runs: it reaches into the service. */
const SERVICE_ONLY = [
  'diagnostics/commands',
  'diagnostics/readiness',
  'diagnostics/redis-lives',
  'diagnostics/sources',
].map((folder) => folder.replace('/', sep));

/**
 * Packs the built checkout as the package for other applications.
 * @param {string} into directory of the tarball
 * @returns {string} path of the tarball
 */
export function packTarball(into) {
  const staged = mkdtempSync(join(tmpdir(), 'commander-package-'));
  try {
    for (const folder of FOLDERS) {
      const from = inCheckout('dist', folder);
      cpSync(from, join(staged, 'dist', folder), {
        recursive: true,
        filter: (file) =>
          !file.endsWith('.map') && !SERVICE_ONLY.some((part) => file.startsWith(inCheckout('dist', part))),
      });
    }
    for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) cpSync(inCheckout(file), join(staged, file));
    const checkout = JSON.parse(readFileSync(inCheckout('package.json'), 'utf8'));
    const manifest = packageManifest(checkout, staged);
    writeFileSync(join(staged, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    mkdirSync(into, { recursive: true });
    const output = execFileSync('npm', ['pack', staged, '--pack-destination', into, '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return join(into, JSON.parse(output)[0].filename);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}
