import { inCheckout } from '../lib/checkout.mjs';
import { Failure, say } from '../lib/failure.mjs';
import { runProgram } from '../lib/run-program.mjs';
import { hashOf, isStamped, writeStamp } from '../lib/stamp.mjs';

/**
 * Compiles an example unless it was compiled from exactly these sources.
 * @param example its folder
 * @param parts what it is made of
 * @throws Failure when the compiler found errors
 */
export async function buildExample(example, parts) {
  const stamp = `${example}/dist/.built`;
  const sources = [...parts, 'tsconfig.json'].map((part) => `${example}/${part}`);
  const builtFrom = hashOf(...sources, 'tsconfig.json', 'src/sdk', 'src/contract', 'package-lock.json');
  if (isStamped(stamp, builtFrom)) return;
  say('building the example');
  const compiler = inCheckout('node_modules/typescript/bin/tsc');
  const code = await runProgram(process.execPath, [compiler, '-p', inCheckout(example)]);
  if (code !== 0) throw new Failure(`the example does not compile (exit code ${code})`);
  writeStamp(stamp, builtFrom);
}
