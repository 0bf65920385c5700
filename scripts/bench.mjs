// `npm run bench`: runs every bench/*.bench.{ts,mjs,js} one after the other; `npm run bench -- tcp` those whose name contains "tcp".
import { readdirSync } from 'node:fs';
import { inCheckout } from './lib/checkout.mjs';
import { Failure, runMain, say } from './lib/failure.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';

const SUFFIX = /\.bench\.(ts|mjs|js)$/;

await runMain(async () => {
  // `npm run bench -- tcp --seconds=5`: what starts with a dash is for the benchmark.
  const names = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
  const flags = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
  const all = readdirSync(inCheckout('bench'))
    .filter((file) => SUFFIX.test(file))
    .sort();
  const chosen = all.filter((file) => names.length === 0 || names.some((name) => file.includes(name)));
  if (chosen.length === 0) {
    const known = all.map((file) => file.replace(SUFFIX, '')).join(', ');
    throw new Failure(`no benchmark is called ${names.join(' or ') || 'anything'}; there are: ${known || 'none'}`);
  }
  await setUp();
  await ensureRedisBinary();
  for (const file of chosen) {
    say(`bench/${file}`);
    const loader = file.endsWith('.ts') ? ['--require', inCheckout('scripts/lib/register-typescript.cjs')] : [];
    const code = await runProgram(process.execPath, [...loader, inCheckout('bench', file), ...flags]);
    if (code !== 0) throw new Failure(`bench/${file} failed (exit code ${code})`);
  }
});
