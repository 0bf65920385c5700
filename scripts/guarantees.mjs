// `npm run guarantees`: breaks a fleet for GUARANTEES_MINUTES (10) and writes what became of every due time to docs/guarantees.md.
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  const env = { GUARANTEES_MINUTES: '10', GUARANTEES_WRITE: 'true', ...process.env };
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  process.exit(await runProgram(process.execPath, [jest, 'test/guarantees/guarantees.spec.ts'], { env }));
});
