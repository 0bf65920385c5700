// `npm run test:lts`: the suite on the Node of the image, or on others: `-- --node=22,26`. Other arguments go to jest.
import { delimiter, join } from 'node:path';
import { inCheckout } from './lib/checkout.mjs';
import { runMain, say } from './lib/failure.mjs';
import { ensureLtsNode, LTS_NODE_VERSION } from './lib/lts-node.mjs';
import { ensureNodeRelease } from './lib/node-release.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

const WANTED = '--node=';

await runMain(async () => {
  const wanted = process.argv.slice(2).filter((argument) => argument.startsWith(WANTED));
  const jestArguments = process.argv.slice(2).filter((argument) => !argument.startsWith(WANTED));
  const versions = wanted.flatMap((argument) => argument.slice(WANTED.length).split(','));
  await setUp();
  await ensureRedisBinary();
  const folders = new Map();
  if (versions.length === 0) folders.set(LTS_NODE_VERSION, await ensureLtsNode());
  // All before the first runs: a version that is not to be had is told at once.
  for (const version of versions) folders.set(version, await ensureNodeRelease(version));
  let failed = false;
  for (const [version, folder] of folders) {
    say(`running the suite on Node ${version}`);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
    const jest = inCheckout('node_modules/jest/bin/jest.js');
    const code = await runProgram(join(folder, 'node'), [jest, ...jestArguments], { env });
    say(`the suite on Node ${version} ${code === 0 ? 'passed' : `failed (exit code ${code})`}`);
    failed ||= code !== 0;
  }
  process.exit(failed ? 1 : 0);
});
