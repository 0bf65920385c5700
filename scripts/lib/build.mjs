import { chmodSync, existsSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';
import { hashOf, isStamped, writeStamp } from './stamp.mjs';

const STAMP = 'dist/.commander-build';
/** What `bin` of package.json leads to. npm makes it executable when it links it, and does not look again after a build. */
const PROGRAM = 'dist/cli/main.js';
const SOURCES = ['src', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package.json', 'package-lock.json'];

/** Builds dist/ unless it was built from exactly these sources. */
export async function ensureBuilt() {
  if (existsSync(inCheckout('dist/main.js')) && isStamped(STAMP, hashOf(...SOURCES))) return;
  await build();
}

/** Builds dist/. @throws Failure when the compiler found errors. */
export async function build() {
  say('building (nest build)');
  // Taken before the compiler reads the files: an edit during the build makes the result stale, not unnoticed.
  const builtFrom = hashOf(...SOURCES);
  const code = await runProgram(process.execPath, [inCheckout('node_modules/@nestjs/cli/bin/nest.js'), 'build']);
  if (code !== 0) throw new Failure(`the build failed (exit code ${code}); see the lines above`);
  // Loaded now, because on a fresh checkout there was nothing to load it from before the installation.
  const { bundlePage } = await import('./page-bundle.mjs');
  await bundlePage();
  if (existsSync(inCheckout(PROGRAM))) chmodSync(inCheckout(PROGRAM), 0o755);
  writeStamp(STAMP, builtFrom);
}
