import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseList } from '../../examples/hot-list/agent/list-parser.js';
import { readSites } from '../../examples/hot-list/api/site.js';
import { pages } from '../../examples/hot-list/sites/pages.js';
import { topTopics } from '../../examples/hot-list/sites/ranking.js';
import { boardTitles, newsTitles, videoTitles } from '../../examples/hot-list/sites/titles.js';
import { fetchPage } from '../../examples/hot-list/agent/list-page.js';

// The example imports the package by its name, as another app does; here its sources stand for the built package.
jest.mock('mu-commander/agent', () => jest.requireActual('../../src/sdk/agent'), { virtual: true });

describe('the hot-list example', () => {
  const url = 'http://site.test/page';

  it.each([
    ['/news', 'table-rows', newsTitles, 12],
    ['/board', 'ordered-list', boardTitles, 10],
    ['/videos', 'cards', videoTitles, 8],
  ])('reads %s completely, told its shape or not', (path, kind, titles, count) => {
    for (const atMs of [0, 7_000, 1_234_567]) {
      const html = pages[path]!(atMs);
      const { items } = parseList(html, url, kind);
      expect(items.map(({ title }) => title)).toEqual(topTopics(titles, count, atMs).map(({ title }) => title));
      expect(items.map(({ rank }) => rank)).toEqual(items.map((_, index) => index + 1));
      expect(items.every((item) => item.url.startsWith(`http://site.test${path}`))).toBe(true);
      expect(new Set(items.map(({ key }) => key)).size).toBe(count);
      expect(parseList(html, url)).toEqual({ kind, items });
    }
  });

  it('has sites whose order changes while the key of a link stays', () => {
    const [before, after] = [0, 10_000].map((atMs) => parseList(pages['/news']!(atMs), url).items);
    expect(after!.map(({ key }) => key)).not.toEqual(before!.map(({ key }) => key));
    const first = before![0]!;
    const again = after!.find(({ title }) => title === first.title);
    if (again) expect(again.key).toBe(first.key);
    expect(after!.filter(({ key }) => before!.some((item) => item.key === key)).length).toBeGreaterThan(0);
  });

  it('finds the list on a page of unknown shape, among menus and sidebars', () => {
    const rows = ['First story of the day', 'Second story, about boats', 'Third story: 5 < 6'];
    const html = `<nav><ul>${'<li><a href="/n">A navigation entry here</a></li>'.repeat(9)}</ul></nav>
      <div class="wrap"><div class="x"><a href="/1"><img></a><span>12</span><a href="/1">${rows[0]}</a></div>
      <div class="x"><a href="b/2#c">${rows[1]}</a><a href="/s">share</a></div>
      <div class="x"><a href="https://other.test/3">${rows[2]!.replace('<', '&lt;')}</a></div></div>
      <aside><a href="/ad">An advertisement with a rather long text in it</a></aside>`;
    const { kind, items } = parseList(html, url);
    expect(kind).toBe('generic');
    expect(items.map(({ title }) => title)).toEqual(rows);
    expect(items.map((item) => item.url)).toEqual([
      'http://site.test/1',
      'http://site.test/b/2',
      'https://other.test/3',
    ]);
  });

  it.each([
    ['no page at all', ''],
    ['prose', '<p>Nothing to see here, only <a href="/x">one single link</a>.</p>'],
    [
      'links that lead nowhere',
      '<ul><li><a href="javascript:x">A long enough title</a></li><li><a>Another one</a></li></ul>',
    ],
  ])('finds no list in %s', (_what, html) => {
    expect(parseList(html, url).items).toEqual([]);
  });

  it('refuses a preset that does not exist', () => {
    expect(() => parseList('', url, 'constructor')).toThrow(RangeError);
  });

  it('reads SITES, else its own three', () => {
    expect(readSites({ SITES: 'https://a.test/hot?x=1, http://b.test:8080/' })).toEqual([
      { key: 'a-test-hot-x-1', url: 'https://a.test/hot?x=1' },
      { key: 'b-test-8080', url: 'http://b.test:8080/' },
    ]);
    expect(readSites({ SITES_URL: 'http://127.0.0.1:1' }).map(({ key }) => key)).toEqual(['news', 'board', 'videos']);
    expect(() => readSites({ SITES: 'nonsense' })).toThrow(/nonsense/);
  });

  describe('fetchPage', () => {
    let server: Server;
    let base: string;
    let answer: RequestListener;
    const signal = () => new AbortController().signal;

    beforeAll(async () => {
      server = createServer((request, response) => answer(request, response));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.close();
      server.closeAllConnections();
    });

    it('follows redirects and decodes the charset of header or page', async () => {
      const gbk = Buffer.from([0xc8, 0xc8, 0xb0, 0xf1]);
      answer = ({ url: path }, response) => {
        if (path === '/old') return void response.writeHead(302, { location: '/new' }).end();
        if (path === '/new') return void response.writeHead(200, { 'content-type': 'text/html; charset=gbk' }).end(gbk);
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end(Buffer.concat([Buffer.from('<meta charset="gbk">'), gbk]));
      };
      expect(await fetchPage(`${base}/old`, signal())).toEqual({ html: '热榜', url: `${base}/new` });
      expect((await fetchPage(`${base}/meta`, signal())).html).toBe('<meta charset="gbk">热榜');
    });

    it.each([
      ['a page that is gone', 404, 'text/html', '', false],
      ['a page that is forbidden', 403, 'text/html', '', false],
      ['a site that asks for a pause', 429, 'text/html', '', true],
      ['a broken site', 503, 'text/html', '', true],
      ['what is no HTML', 200, 'image/png', 'png', false],
      ['an endless page', 200, 'text/html', 'x'.repeat(2 * 1024 * 1024 + 1), false],
    ])('fails on %s', async (_what, status, type, body, retryable) => {
      answer = (_request, response) => void response.writeHead(status, { 'content-type': type }).end(body);
      await expect(fetchPage(base, signal())).rejects.toMatchObject({ name: 'JobFailure', retryable });
    });

    it('fails for good on what is no web address, and for now on a site that is away', async () => {
      await expect(fetchPage('file:///etc/passwd', signal())).rejects.toMatchObject({ retryable: false });
      await expect(fetchPage('http://127.0.0.1:1/', signal())).rejects.toMatchObject({
        name: 'JobFailure',
        retryable: true,
      });
    });

    it('ends with the signal', async () => {
      answer = () => undefined;
      await expect(fetchPage(base, AbortSignal.timeout(50))).rejects.toBeInstanceOf(Error);
    });
  });
});
