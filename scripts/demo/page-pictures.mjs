import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../lib/debian-package.mjs';
import { say } from '../lib/failure.mjs';

/** Pictures of the page for people who read about it, where `--pictures=DIR` asks for them. */
export class PagePictures {
  static async start(stage, url) {
    const directory = process.argv.find((arg) => arg.startsWith('--pictures='))?.slice('--pictures='.length);
    if (directory === undefined) return new PagePictures();
    const executablePath = findProgram('chromium');
    if (!executablePath) {
      say('no Chromium here: no pictures are taken');
      return new PagePictures();
    }
    const { chromium } = await import('playwright-core');
    const home = mkdtempSync(join(tmpdir(), 'commander-pictures-'));
    const browser = await chromium.launch({
      executablePath,
      env: { ...process.env, HOME: home },
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
    });
    stage.beforeTheEnd(async () => {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    });
    mkdirSync(directory, { recursive: true });
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    await page.goto(url);
    return new PagePictures(page, directory);
  }

  constructor(page, directory) {
    this.page = page;
    this.directory = directory;
  }

  get areTaken() {
    return this.page !== undefined;
  }

  /** @param leak when given, the picture waits until the page tells of it */
  async take(name, leak) {
    if (!this.page) return;
    if (leak) await this.page.waitForSelector(`[data-verdict="${leak.id}"]`, { timeout: 15_000 });
    // One more refresh of the page, so that all of it is of one moment.
    await this.page.waitForTimeout(4_000);
    await this.page.screenshot({ path: join(this.directory, `${name}.png`) });
    console.log(`  picture: ${name}.png`);
  }
}
