// `npm run package`: packs what other applications install, mu-commander-<version>.tgz, into .data/package or --into=<directory>.
import { resolve } from 'node:path';
import { inCheckout } from './lib/checkout.mjs';
import { runMain, say } from './lib/failure.mjs';
import { packTarball } from './lib/package-tarball.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  const into = process.argv.find((argument) => argument.startsWith('--into='))?.slice('--into='.length);
  say(`packed ${packTarball(into === undefined ? inCheckout('.data/package') : resolve(into))}`);
});
