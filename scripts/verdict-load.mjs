// `npm run verdicts:load`: commander itself under mixed load for VERDICT_MINUTES (30), then a planted leak; writes what the
// detector made of both into docs/verdicts.md.
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  const env = { VERDICT_MINUTES: '30', VERDICT_WRITE: 'true', ...process.env };
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  const spec = 'test/diagnostics/verdicts/commander-under-load.spec.ts';
  process.exit(await runProgram(process.execPath, [jest, spec], { env }));
});
