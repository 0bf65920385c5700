// Preloaded into a scenario in place of our own ledger: starts one tool, and on SIGHUP writes what it says to PEER_REPORT.
const { writeFileSync } = require('node:fs');

const tools = require('./tools.cjs');

const tool = tools[process.env.PEER];
const report = tool();

process.on('SIGHUP', async () => {
  let text;
  try {
    text = await report();
  } catch (error) {
    text = `failed: ${error.message}`;
  }
  writeFileSync(process.env.PEER_REPORT, String(text));
});
