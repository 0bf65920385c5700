// `node scripts/test-again.mjs RESULTS`: suites that failed in a run of jest are run once more, one at a time, and named whatever comes of it.
// RESULTS is what jest wrote with `--json --outputFile=RESULTS`. Why: docs/adr/0021-failed-suites-run-again.md
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { checkout, inCheckout } from './lib/checkout.mjs';
import { Failure, runMain, say } from './lib/failure.mjs';
import { runProgram } from './lib/run-program.mjs';

/** More than that is no accident of a busy machine. */
const MOST_SUITES = 2;

await runMain(async () => {
  const { testResults, wasInterrupted } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(checkout, name));
  const names = failed.join(', ');
  if (wasInterrupted || failed.length === 0) throw new Failure('the tests did not run to their end');
  if (failed.length > MOST_SUITES) throw new Failure(`${failed.length} suites failed: ${names}`);
  say(`failed beside others, now alone: ${names}`);
  const jest = inCheckout('node_modules/jest/bin/jest.js');
  const code = await runProgram(process.execPath, [jest, '--runInBand', '--runTestsByPath', ...failed]);
  say(code === 0 ? `UNSTABLE, passed only when run again: ${names}` : `failed again: ${names}`);
  process.exit(code);
});
