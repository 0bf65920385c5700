import { copyFileSync, mkdirSync } from 'node:fs';
import { build } from 'esbuild';
import { inCheckout } from './checkout.mjs';
import { Failure } from './failure.mjs';

/**
 * Bundles the diagnostics page into dist/, where the service serves it from: scripts, styles, nothing from elsewhere.
 * @throws Failure when the bundler found errors
 */
export async function bundlePage() {
  const outdir = inCheckout('dist/diagnostics/page/assets');
  mkdirSync(outdir, { recursive: true });
  await build({
    entryPoints: [inCheckout('src/page/main.tsx')],
    outdir,
    bundle: true,
    // What draws the flame graph is loaded when somebody asks for it.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'linked',
    tsconfig: inCheckout('src/page/tsconfig.json'),
    logLevel: 'warning',
  }).catch(() => {
    throw new Failure('the diagnostics page could not be bundled; see the lines above');
  });
  copyFileSync(inCheckout('src/page/index.html'), `${outdir}/index.html`);
}
