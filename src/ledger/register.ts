import { watchEsModules } from './hooks/es-module-loads.js';
import { theLedger } from './the-ledger.js';

// `node --require mu-commander/register` or `--import`: counts from before the first line of the application.
// MU_LEDGER=off leaves the process as it is, for a quick comparison without touching its command line.
if (process.env.MU_LEDGER !== 'off' && !theLedger.isRunning) {
  theLedger.start();
  // Node 20 starts a thread for it, which is none of the application's.
  theLedger.quietly(() => watchEsModules(theLedger.libraryNames));
}
