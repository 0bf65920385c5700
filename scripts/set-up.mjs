// Everything that lint, type check and tests need, and nothing else: dependencies and redis-server. `.ci/run` starts with it.
import { runMain } from './lib/failure.mjs';
import { ensureChromiumBinary } from './lib/chromium-binary.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp({ build: async () => undefined });
  await ensureRedisBinary();
  await ensureChromiumBinary();
});
