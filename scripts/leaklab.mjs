// `npm run leaklab`: scores the detector on the labelled leaks of leaklab/ and writes docs/leaklab.md; `-- --all` with the peers.
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  const loader = inCheckout('scripts/lib/register-typescript.cjs');
  process.exit(
    await runProgram(process.execPath, ['--require', loader, inCheckout('leaklab/main.ts'), ...process.argv.slice(2)]),
  );
});
