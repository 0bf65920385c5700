import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { bytesText } from '../../src/contract/amount-text';
import type { LedgerGroups } from '../../src/contract/ledger.schema';
import type { History, HistorySample, Lives } from '../../src/contract/recorder.schema';
import { Browser, hasBrowser } from '../support/browser';
import { BuiltApp } from '../support/built-app';
import { eventually } from '../support/eventually';
import { freePort } from '../support/free-port';
import { httpGet } from '../support/http-get';
import { outsideAddress } from '../support/outside-address';
import { RedisServer } from '../support/redis-server';

jest.setTimeout(120_000);

const FIXTURE = 'test/page/fixtures/planted-leak.cjs';
const source = readFileSync(join(__dirname, '../..', FIXTURE), 'utf8').split('\n');
const PLANT = `${FIXTURE}:${source.findIndex((line) => line.includes('// plant')) + 1}`;
const TOKEN = 'correct-horse-battery-staple';
const SEEN = { timeout: 90_000 };
const SEEN_SLOWLY = { timeoutMs: 60_000 };

/** Whether a clock time `hh:mm:ss` stands for less than half a day before an instant, also across midnight. */
function isClockBefore(clock: string, at: number): boolean {
  const secondsOf = (text: string) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  const sinceSeconds = (secondsOf(clock) - secondsOf(new Date(at).toLocaleTimeString('en-GB')) + 86_400) % 86_400;
  return sinceSeconds > 43_200;
}

(hasBrowser ? describe : describe.skip)('the page', () => {
  let redis: RedisServer;
  let app: BuiltApp;
  /** One that leaks from the beginning: by the time it is looked at, the verdict has had its time. */
  let leaking: BuiltApp;
  let browser: Browser;
  let url: string;

  const start = (env: Record<string, string> = {}): Promise<BuiltApp> =>
    BuiltApp.start({ redisUrl: redis.url, nodeArgs: ['--require', join(__dirname, 'fixtures/planted-leak.cjs')], env });
  const pageOf = (one: BuiltApp, host = '127.0.0.1'): string => `http://${host}:${one.httpPort}/diagnostics`;

  beforeAll(async () => {
    redis = await RedisServer.start();
    browser = await Browser.start();
    [app, leaking] = await Promise.all([start(), start()]);
    leaking.signal('SIGUSR2');
    url = pageOf(app);
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([app?.stop(), leaking?.stop()]);
    await redis?.stop();
  });

  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe.source);
    const { violations: found } = await page.evaluate<axe.AxeResults>('axe.run()');
    return found
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  };

  it('shows a healthy service as one, runs under its own policy, and finds all its parts', async () => {
    const { page, complaints } = await browser.open(url);
    await page.waitForSelector('.dot.live');
    expect(await page.locator('.banner').getAttribute('data-state')).not.toBe('leaking');
    for (const title of ['What grows', 'Memory', 'Alive, by kind', 'Made where', 'Previous lives'])
      expect(await page.getByRole('heading', { name: title }).count()).toBe(1);
    await page.waitForSelector('td[data-kind-live="server"]');
    await page.waitForSelector('.chart canvas');
    // The first look starts the sampler; what is allocated from then on can be seen.
    await eventually(
      async () => {
        await page.getByRole('button', { name: /^Look/ }).click();
        await page.waitForSelector('.flame svg', { timeout: 2_000 });
      },
      { timeoutMs: 60_000 },
    );
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it.each([
    ['light', 1_100],
    ['dark', 1_100],
    ['light', 360],
    ['dark', 360],
  ] as const)('can be used by all in the %s, %i px wide', async (colorScheme, width) => {
    const { page } = await browser.open(url, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    await page.waitForSelector('td[data-kind-live="server"]');
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    await page.context().close();
  });

  it('shows the numbers of the JSON', async () => {
    const { page } = await browser.open(url);
    let answer: LedgerGroups | undefined;
    page.on('response', (response) => {
      if (response.url().includes('/diagnostics/groups?')) void response.json().then((body) => (answer = body));
    });
    await page.waitForSelector('.dot.live');
    // The first one may have come before anybody listened.
    await eventually(() => answer !== undefined);
    await page.getByRole('button', { name: 'Pause' }).click();
    // An answer that was under way when the page was paused is shown, too.
    await eventually(async () => {
      const shown = await page.$$eval('td[data-kind-live]', (cells) =>
        cells.map((cell) => [cell.getAttribute('data-kind-live'), cell.textContent!.replace(/ \(.*\)$/, '')]),
      );
      const { kinds } = answer!;
      expect(Object.fromEntries(shown)).toEqual(
        Object.fromEntries(
          kinds.map(({ kind, live, exact }) => [kind, `${exact ? '' : '≈'}${live.toLocaleString('en-US')}`]),
        ),
      );
    });
    await page.context().close();
  });

  it('downloads what it offers', async () => {
    const { page } = await browser.open(url);
    await page.waitForSelector('.dot.live');
    await page.getByText('Download', { exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Handles (pprof)' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('handles.pb.gz');
    expect([...readFileSync(await download.path()).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    await page.context().close();
  });

  it('says since when the process is gone, and finds the next one', async () => {
    // A port that no connection of others can take while nobody listens there.
    const own = await start({ HTTP_PORT: String(await freePort()) });
    const { page } = await browser.open(pageOf(own));
    await page.waitForSelector('.dot.live');
    own.signal('SIGKILL');
    await page.waitForSelector('.banner[data-state="gone"]', SEEN);
    expect(await page.locator('.banner .stale').textContent()).toMatch(/does not answer since \d\d:\d\d:\d\d/);
    const next = await start({ HTTP_PORT: String(own.httpPort) });
    await page.waitForSelector('.dot.live', SEEN);
    expect(await page.locator('.banner .stale').count()).toBe(0);
    await page.context().close();
    await next.stop();
  });

  it('draws the whole life of a process that was killed near its limit, each figure as in the JSON; gives its evidence', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'page-spec-'));
    const env = { EVIDENCE_DIR: directory, INSTANCE_NAME: 'page', RECORDER_INTERVAL_MS: '500' };
    const full = join(__dirname, 'fixtures/full-heap.cjs');
    const nodeArgs = ['--max-old-space-size=160', '--max-semi-space-size=1', '--require', full];
    const doomed = await BuiltApp.start({ redisUrl: redis.url, nodeArgs, env });
    const history = async (one: BuiltApp, query = ''): Promise<HistorySample[]> =>
      ((await httpGet(`${one.httpUrl}/diagnostics/history${query}`)).json() as History).samples;
    await eventually(async () => expect((await history(doomed)).length).toBeGreaterThan(6), SEEN_SLOWLY);
    doomed.signal('SIGUSR2');
    await eventually(() => expect(readdirSync(directory).join()).toContain('.evidence'), SEEN_SLOWLY);
    // One more sample: the record that says how near the limit is.
    const seenCount = (await history(doomed)).length;
    await eventually(async () => expect((await history(doomed)).length).toBeGreaterThan(seenCount), SEEN_SLOWLY);
    await doomed.kill();

    const next = await start(env);
    try {
      const { previous } = (await httpGet(`${next.httpUrl}/diagnostics/lives`)).json() as Lives;
      const [life] = previous;
      expect(life).toMatchObject({ end: 'killed-near-limit', pid: doomed.pid });
      const past = await history(next, `?life=${life!.id}`);
      expect(past.length).toBeGreaterThan(6);
      expect(past.at(-1)).toEqual(life!.lastSample);

      const { page, complaints } = await browser.open(pageOf(next));
      await page.waitForSelector('.dot.live');
      const sentence = page.locator('section[aria-labelledby="memory-title"] p');
      await eventually(
        async () =>
          expect(await sentence.textContent()).toMatch(/The previous life, .*, killed near its memory limit at /),
        SEEN_SLOWLY,
      );
      expect(await sentence.textContent()).toContain(`with ${bytesText(life!.lastSample!.rssBytes)}`);
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.waitForTimeout(1_000);

      // What the legend tells under the pointer, all along the chart.
      const area = (await page.locator('.chart .u-over').boundingBox())!;
      const told = new Set<string>();
      for (let x = 1; x < area.width; x += 2) {
        await page.mouse.move(area.x + x, area.y + area.height / 2);
        const values = await page.locator('.chart .u-legend .u-value').allTextContents();
        if (values[1] !== '–') told.add(values.slice(0, 4).join(' | '));
      }
      const inJson = (samples: readonly HistorySample[]) =>
        samples.map(({ at, rssBytes, heapUsedBytes, externalBytes }) =>
          [new Date(at).toLocaleTimeString('en-GB'), ...[rssBytes, heapUsedBytes, externalBytes].map(bytesText)].join(
            ' | ',
          ),
        );
      const before = inJson(past);
      const both = new Set([...before, ...inJson(await history(next))]);
      const live = [...told].filter((line) => !both.has(line));
      // Samples that came live are taken for the page alone; all others stand in the JSON.
      const firstOwnAt = (await history(next))[0]!.at;
      expect(live.filter((line) => isClockBefore(line.split(' | ')[0]!, firstOwnAt))).toEqual([]);
      expect(before.filter((line) => told.has(line)).length).toBeGreaterThan(Math.min(6, past.length / 2));
      expect(told).toContain(before.at(-1));

      const [evidence] = life!.evidence;
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: evidence!.name }).click(),
      ]);
      const bundle = JSON.parse(readFileSync(await download.path(), 'utf8'));
      expect(bundle).toMatchObject({ life: { id: life!.id }, pressure: { limit: 'V8 heap limit' } });
      expect(complaints).toEqual([]);
      await page.context().close();
    } finally {
      await next.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  (outsideAddress === undefined ? it.skip : it)('asks whoever comes from elsewhere for the token', async () => {
    const own = await start({ HTTP_HOST: '0.0.0.0', DIAGNOSTICS_TOKEN: TOKEN });
    try {
      const { page } = await browser.open(pageOf(own, outsideAddress!));
      await page.getByLabel('Diagnostics token').fill('wrong');
      await Promise.all([
        page.waitForResponse((response) => response.status() === 401),
        page.getByRole('button', { name: 'Look' }).click(),
      ]);
      await page.getByLabel('Diagnostics token').fill('“quoted”');
      await page.getByRole('button', { name: 'Look' }).click();
      await page.getByText('visible ASCII characters only').waitFor();
      await page.getByLabel('Diagnostics token').fill(` ${TOKEN} `);
      await page.getByRole('button', { name: 'Look' }).click();
      await page.waitForSelector('.dot.live');
      // The address says nothing of it, and a new tab does not know it.
      expect(page.url()).not.toContain(TOKEN);
      await page.context().close();
    } finally {
      await own.stop();
    }
  });

  it('names kind and line of a leak in the banner; the click leads to the stack, by mouse and by keyboard', async () => {
    // axe is a script that the page's own policy would refuse.
    const { page, complaints } = await browser.open(pageOf(leaking), { bypassCSP: true });
    await page.waitForSelector('.dot.live');
    await page.getByRole('button', { name: 'Mark this moment' }).click();

    await page.waitForSelector('.banner[data-state="leaking"]', SEEN);
    const sentence = await page.locator('.banner .sentence').textContent();
    expect(sentence).toContain(PLANT);
    expect(sentence).toMatch(/redis clients/);

    const suspect = page.locator('li.leaking', { hasText: PLANT }).getByRole('button').first();
    await suspect.click();
    await page.waitForSelector('dialog[open]');
    expect(await page.locator('dialog .stack .own').first().textContent()).toContain(PLANT);
    expect(await page.locator('dialog h2').textContent()).toBe('ioredis.client');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog[open]').count()).toBe(0);

    await suspect.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');

    const compared = page.locator('tr[data-compared]', { hasText: PLANT }).first();
    await eventually(async () => expect(await compared.locator('td').first().textContent()).toMatch(/^\+\d/));
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
