// `npm run soak`: a million commands and a hundred thousand runs, and what they left behind into docs/reliability.md.
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  const large = { SOAK_COMMANDS: '1000000', SOAK_RUNS: '100000', SOAK_READINGS: '16', SOAK_WRITE: 'true' };
  const env = { ...large, ...process.env };
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  process.exit(await runProgram(process.execPath, [jest, 'test/soak/soak.spec.ts'], { env }));
});
