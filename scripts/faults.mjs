// `npm run faults`: breaks one thing after the other and writes what became of commands, due times and runs into docs/reliability.md.
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  const env = { FAULTS: 'all', FAULTS_WRITE: 'true', ...process.env };
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  process.exit(await runProgram(process.execPath, [jest, 'test/faults/faults.spec.ts'], { env }));
});
