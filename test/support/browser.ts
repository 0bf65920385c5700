import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser as PlaywrightBrowser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** Whether there is a Chromium on this machine; `npm test` installs one where it can. */
export const hasBrowser = EXECUTABLE !== undefined;
if (!hasBrowser) console.warn('SKIPPED: no Chromium on this machine, so the page is not looked at.');

/** A real Chromium without a window. It asks nobody but the pages it is sent to. */
export class Browser {
  private constructor(
    private readonly browser: PlaywrightBrowser,
    private readonly home: string,
  ) {}

  static async start(): Promise<Browser> {
    // It writes caches and settings to its home: a fresh one leaves nothing behind.
    const home = mkdtempSync(join(tmpdir(), 'commander-browser-'));
    const browser = await chromium.launch({
      executablePath: EXECUTABLE,
      env: { ...process.env, HOME: home } as Record<string, string>,
      args: [
        // Chromium's sandbox refuses to run as root.
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new Browser(browser, home);
  }

  /** A page in a context of its own. What it complains about (script errors, refused resources) is kept in `complaints`. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(url);
    return { page, complaints };
  }

  async close(): Promise<void> {
    await this.browser.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}
