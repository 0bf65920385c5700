// `npm run docs`: writes docs/commands.md, docs/settings.md and the parameters in docs/verdicts.md from what is built. With --check it writes nothing and
// fails when a page is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inCheckout } from './lib/checkout.mjs';
import { commandsPage } from './lib/commands-page.mjs';
import { describedContract } from './lib/described-contract.mjs';
import { runMain } from './lib/failure.mjs';
import { parametersTable, withPart } from './lib/page-parts.mjs';
import { setUp } from './lib/set-up.mjs';
import { settingsPage } from './lib/settings-page.mjs';

await runMain(async () => {
  await setUp();
  const require = createRequire(import.meta.url);
  const { settings } = require(inCheckout('dist/config/settings.js'));
  const { verdictParameterTable } = require(inCheckout('dist/ledger/verdict/verdict-parameters.js'));
  const { toJSONSchema } = require('zod').z;
  const pages = {
    'docs/commands.md': commandsPage(describedContract(), toJSONSchema),
    'docs/settings.md': settingsPage(settings),
    'docs/verdicts.md': withPart(
      readFileSync(inCheckout('docs/verdicts.md'), 'utf8'),
      'parameters',
      parametersTable(verdictParameterTable),
    ),
  };
  for (const [file, text] of Object.entries(pages)) {
    if (!process.argv.includes('--check')) writeFileSync(inCheckout(file), text);
    else if (readFileSync(inCheckout(file), 'utf8') !== text) {
      process.stderr.write(`${file} is not what the source says: run \`npm run docs\`\n`);
      process.exitCode = 1;
    }
  }
});
