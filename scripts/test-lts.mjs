// `npm run test:lts`: the suite on the Node of the image; arguments go to jest.
import { delimiter, join } from 'node:path';
import { inCheckout } from './lib/checkout.mjs';
import { runMain, say } from './lib/failure.mjs';
import { ensureLtsNode, LTS_NODE_VERSION } from './lib/lts-node.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  await setUp();
  await ensureRedisBinary();
  const folder = await ensureLtsNode();
  say(`running the suite on Node ${LTS_NODE_VERSION}`);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  process.exit(await runProgram(join(folder, 'node'), [jest, ...process.argv.slice(2)], { env }));
});
