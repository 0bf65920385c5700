// `npm test`: what a fresh clone needs, then jest with the arguments given (`npm test -- test/lifecycle -t drain`).
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { ensureChromiumBinary } from './lib/chromium-binary.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  await ensureChromiumBinary();
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  process.exit(await runProgram(process.execPath, [jest, ...process.argv.slice(2)]));
});
