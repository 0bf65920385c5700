// `npm run verdicts`: drives the detector through every shape of population in simulated time and writes the table into
// docs/verdicts.md. VERDICT_SEEDS (30) runs per shape; VERDICT_ONLY a part of a name; with --print it only prints.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { withPart } from './lib/page-parts.mjs';

await runMain(() => {
  const require = createRequire(import.meta.url);
  require(inCheckout('scripts/lib/register-typescript.cjs'));
  const folder = inCheckout('test/ledger/verdict/simulation');
  const { shapes } = require(`${folder}/shapes.ts`);
  const { simulationRow, simulationTable } = require(`${folder}/simulation-table.ts`);
  const seeds = Number(process.env.VERDICT_SEEDS ?? 30);
  const rows = shapes
    .filter(({ name }) => name.includes(process.env.VERDICT_ONLY ?? ''))
    .map((shape) => {
      const row = simulationRow(shape, seeds);
      process.stderr.write(`${row.join(' | ')}\n`);
      return row;
    });
  if (process.argv.includes('--print')) return;
  const page = inCheckout('docs/verdicts.md');
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), 'simulation', simulationTable(rows, seeds)));
});
