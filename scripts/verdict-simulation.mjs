// `npm run verdicts`: drives the detector through every shape of population in simulated time and writes the table into
// docs/verdicts.md. VERDICT_SEEDS (30) runs per shape; VERDICT_ONLY a part of a name; with --print it only prints.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { withPart } from './lib/page-parts.mjs';

const run = promisify(execFile);

await runMain(async () => {
  const require = createRequire(import.meta.url);
  require(inCheckout('scripts/lib/register-typescript.cjs'));
  const folder = inCheckout('test/ledger/verdict/simulation');
  const { shapes } = require(`${folder}/shapes.ts`);
  const { simulationRow, simulationTable } = require(`${folder}/simulation-table.ts`);
  const seeds = Number(process.env.VERDICT_SEEDS ?? 30);
  const isAsked = ({ name }) => name.includes(process.env.VERDICT_ONLY ?? '');
  const row = process.argv.find((argument) => argument.startsWith('--row='));
  if (row) {
    // One shape in a process of its own: they share the processors.
    process.stdout.write(JSON.stringify(simulationRow(shapes[Number(row.slice(6))], seeds)));
    return;
  }
  const rows = [];
  const left = shapes.map((shape, index) => ({ shape, index })).filter(({ shape }) => isAsked(shape));
  const lane = async () => {
    for (let next; (next = left.shift()) !== undefined;) {
      const self = fileURLToPath(import.meta.url);
      const { stdout } = await run(process.execPath, [self, `--row=${next.index}`]);
      rows[next.index] = JSON.parse(stdout);
      process.stderr.write(`${rows[next.index].join(' | ')}\n`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  if (process.argv.includes('--print')) return;
  const page = inCheckout('docs/verdicts.md');
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), 'simulation', simulationTable(rows.filter(Boolean), seeds)));
});
