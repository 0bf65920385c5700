// When the diagnostics page is first painted, in a real browser on loopback, and what it weighs.
// Usage: npm run bench -- page [--build=directory of the build, default dist] [--rounds=15]
// Each round is a browser context of its own, so nothing is cached; the figure is the median of the rounds.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { findProgram } from '../scripts/lib/debian-package.mjs';
import { built, buildDirectory } from './support/build.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';

const rounds = numberFlag('rounds', 15);
const executablePath = findProgram('chromium');
if (!executablePath) {
  console.log('SKIPPED: no Chromium on this machine');
  process.exit(0);
}
const { serveDiagnostics } = built('diagnostics/standalone.js');
const served = await serveDiagnostics({ port: 0 });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const paints = [];
const answers = [];
for (let round = 0; round < rounds; round++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${served.port}/diagnostics`);
  await page.waitForSelector('.dot.live');
  const [paint, answer] = await page.evaluate(() => [
    performance.getEntriesByName('first-contentful-paint')[0].startTime,
    performance.now(),
  ]);
  paints.push(paint);
  answers.push(answer);
  await context.close();
}
await browser.close();
await served.close();

const assets = join(buildDirectory, 'diagnostics/page/assets');
const sizes = readdirSync(assets).map((name) => {
  const bytes = readFileSync(join(assets, name));
  return [name.replace(/-[A-Z0-9]{8}\./, '.'), bytes.length, gzipSync(bytes).length];
});
console.log(`node ${process.version}, Chromium ${browser.version()}, ${rounds} rounds, median`);
console.log(`first contentful paint ${median(paints).toFixed(0)} ms, first figures ${median(answers).toFixed(0)} ms\n`);
printTable(
  ['file', 'bytes', 'gzipped'],
  sizes.map((row) => row.map(String)),
);
