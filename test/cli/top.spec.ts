import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { dieWithUs } from '../support/die-with-us.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { runCli } from './support/cli-process.js';
import { PtyProcess } from './support/pty-process.js';

jest.setTimeout(120_000);

const SLOW = { timeoutMs: 60_000 };
const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');
const FIXTURE = 'test/cli/fixtures/leaking-process.cjs';
const source = readFileSync(join(__dirname, '../..', FIXTURE), 'utf8').split('\n');
const PLANT = `${FIXTURE}:${source.findIndex((line) => line.includes('// plant')) + 1}`;
const TOKEN = 'open-sesame-0123456789';

/** Another process, counted from its first line on, that leaks 50 a second. */
class LeakingProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<LeakingProcess> {
    const child = spawn(
      process.execPath,
      ['--require', join(distDir, 'ledger/register.js'), join(__dirname, '../..', FIXTURE)],
      {
        cwd: join(__dirname, '../..'),
        env: { PATH: process.env.PATH, DIST_DIR: distDir, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    child.once('close', dieWithUs(child.pid!));
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    return new LeakingProcess(child, Number(line.toString()));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }
}

let leaking: LeakingProcess;
const terminals: PtyProcess[] = [];
const top = (args: string, options?: Parameters<typeof PtyProcess.start>[1]): PtyProcess => {
  const terminal = PtyProcess.start(`top ${args}`, options);
  terminals.push(terminal);
  return terminal;
};
beforeAll(async () => {
  leaking = await LeakingProcess.start();
});
afterEach(async () => {
  await Promise.all(terminals.splice(0).map((terminal) => terminal.kill()));
});
afterAll(() => leaking.kill());

describe('top to a pipe', () => {
  it('looks once: who, memory, verdict, and what grows fastest first, with the line that made it', async () => {
    const text = await eventually(async () => {
      const { code, stdout, stderr } = await runCli(['top', leaking.url]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Leaking: /m);
      return stdout;
    }, SLOW);
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toMatch(new RegExp(`^${leaking.url}  pid \\d+, Node 2\\d\\.\\S+, up `));
    expect(lines[1]).toMatch(/^RSS [\d.]+ MiB(, no limit| of [\d.]+ [MG]iB \([\d.]+ %\)): heap [\d.]+ MiB, external /);
    expect(text).toMatch(new RegExp(`^Leaking: .*${PLANT}`, 'm'));
    const titles = lines.findIndex((line) => /^ *LIVE +RATE +KIND +MADE AT$/.test(line));
    expect(titles).toBeGreaterThan(3);
    expect(lines[titles + 1]).toMatch(
      new RegExp(`^ *≈?[\\d,]+ +\\+\\d+\\.\\d/s +crawl\\.page +${PLANT} in \\S*crawl$`),
    );
    expect(text).not.toContain('\u001b');
  });

  it('takes an address with and without scheme and path, and sorts as asked', async () => {
    const { port } = leaking;
    const ways = await Promise.all(
      [`127.0.0.1:${port}`, `http://localhost:${port}/`, `http://127.0.0.1:${port}/diagnostics`].map((address) =>
        runCli(['top', address, '--once', '--sort', 'age']),
      ),
    );
    for (const { code, stdout } of ways) {
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ *LIVE +RATE +OLDEST +KIND +MADE AT$/m);
    }
  });

  it('prints what it was answered with --json', async () => {
    const { code, stdout } = await runCli(['top', leaking.url, '--json']);
    expect(code).toBe(0);
    const { groups, verdicts, summary } = JSON.parse(stdout);
    expect(groups.groups[0]).toMatchObject({ kind: 'crawl.page', live: expect.any(Number) });
    expect(summary.process.pid).toBeGreaterThan(0);
    expect(verdicts.rss.rssBytes).toBeGreaterThan(1_000_000);
  });
});

describe('top of what cannot be looked at', () => {
  const refused = async (argv: string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runCli(['top', ...argv], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    return stderr;
  };

  it('nobody there', async () => {
    const port = await freePort();
    expect(await refused([`127.0.0.1:${port}`])).toBe(
      `UNAVAILABLE: http://127.0.0.1:${port} cannot be reached: ECONNREFUSED\n`,
    );
  });

  describe('somebody else', () => {
    let server: Server;
    let address: string;
    let answer: (response: import('node:http').ServerResponse) => void;
    beforeAll(async () => {
      server = createServer((_, response) => answer(response));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    it.each([
      [
        'a page',
        (r: { end(text: string): void }) => r.end('<html>'),
        /does not answer as the diagnostics of a process do/,
      ],
      ['other JSON', (r: { end(text: string): void }) => r.end('{"hello":1}'), /does not answer as the diagnostics/],
    ])('%s', async (_, how, message) => {
      answer = how;
      expect(await refused([address])).toMatch(message);
    });

    it('a 404', async () => {
      answer = (response) => response.writeHead(404).end('no');
      expect(await refused([address])).toMatch(/answers with status 404: no diagnostics are served there/);
    });

    it('a redirect is not followed: the token would go along', async () => {
      answer = (response) => response.writeHead(302, { Location: leaking.url }).end();
      expect(await refused([address])).toMatch(/^UNAVAILABLE: .* cannot be reached/);
    });

    it('nothing at all, by the deadline', async () => {
      answer = () => undefined;
      expect(await refused([address, '--timeout', '300ms'])).toBe(
        `DEADLINE_EXCEEDED: ${address} did not answer within 300 ms\n`,
      );
    });
  });

  it('a token that is missing, wrong, or right', async () => {
    const guarded = await LeakingProcess.start({ TOKEN });
    // As a proxy on this machine would ask: not taken for local.
    const proxy = createServer((request, response) => {
      void fetch(`${guarded.url}${request.url}`, {
        headers: {
          ...(request.headers.authorization ? { authorization: request.headers.authorization } : {}),
          via: 'x',
        },
      }).then(async (answer) => response.writeHead(answer.status).end(await answer.text()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      expect(await refused([address])).toMatch(/^UNAUTHENTICATED: .*\(give it by DIAGNOSTICS_TOKEN or --token\)\n$/);
      const wrong = await refused([address, '--token', 'mellon']);
      expect(wrong).toMatch(/^UNAUTHENTICATED: /);
      expect(wrong).not.toContain('mellon');
      for (const way of [
        { argv: ['--token', TOKEN], env: {} },
        { argv: [], env: { DIAGNOSTICS_TOKEN: TOKEN } },
        { argv: ['--token', TOKEN], env: { DIAGNOSTICS_TOKEN: 'wrong' } },
      ])
        expect(await runCli(['top', address, ...way.argv], { env: way.env as Record<string, string> })).toMatchObject({
          code: 0,
          stderr: '',
        });
    } finally {
      proxy.closeAllConnections();
      proxy.close();
      await guarded.kill();
    }
  });

  it.each([
    [['ftp://somewhere'], /^"ftp:\/\/somewhere" is no address: expected http:\/\/host:port/],
    [['http://'], /is no address/],
    [['http://me:secret@somewhere'], /^the address holds a password: give the token by/],
    [['localhost:1', '--interval', '100ms'], /^--interval: "100ms" is no interval of 500ms to 1h/],
    [['localhost:1', '--sort', 'name'], /^--sort: "name" is none of rate, live, /],
  ])('wrong usage: %j', async (argv, message) => {
    const { code, stdout, stderr } = await runCli(['top', ...argv]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('secret');
  });
});

describe('top in a terminal', () => {
  /** Waits for a picture that fulfils what is expected of it. */
  const shown = (terminal: PtyProcess, expected: (lines: string[]) => void) =>
    eventually(() => {
      const lines = terminal.screen;
      expected(lines);
      return lines;
    }, SLOW);
  const plantRow = (lines: string[]): string => {
    // The sentence above the table names it, too.
    const row = lines.find(
      (line) => /^ *≈?\d/.test(line) && line.includes('crawl.page') && line.includes('leaking-process.cjs'),
    );
    expect(row).toBeDefined();
    return row!;
  };
  const liveOf = (row: string): number => Number(/^ *≈?([\d,]+)/.exec(row)![1]!.replaceAll(',', ''));
  /** As it was: canonical mode with echo, cursor shown, the ordinary screen. */
  const expectRestored = (text: string): void => {
    expect(text.lastIndexOf('\u001b[?25h\u001b[?1049l')).toBeGreaterThan(text.lastIndexOf('\u001b[?1049h\u001b[?25l'));
    const after = text.slice(text.lastIndexOf('ended with'));
    expect(after).toMatch(/ icanon /);
    expect(after).toMatch(/ echo /);
  };

  it('is refreshed, tells what has changed since it looks, keeps to 80 columns, and leaves with q', async () => {
    const terminal = top(`${leaking.url} --interval 500ms`);
    const first = await shown(terminal, (lines) => expect(liveOf(plantRow(lines))).toBeGreaterThan(0));
    const later = await shown(terminal, (lines) => {
      expect(lines.some((line) => /^ *LIVE +IN [\d.]+ S +RATE/.test(line))).toBe(true);
      expect(liveOf(plantRow(lines))).toBeGreaterThan(liveOf(plantRow(first)) + 20);
    });
    // File and line are there, whatever else had to go.
    expect(plantRow(later)).toMatch(/ \+[\d,]+ +\+\d+\.\d\/s +crawl\.page +\S*leaking-process\.cjs:\d+/);
    for (const line of later) expect(line.length).toBeLessThanOrEqual(80);
    expect(later.length).toBeLessThanOrEqual(24);
    expect(later.at(-1)).toMatch(/^q leaves {2}p pauses {2}s sorts \(by rate\) {2}every 0\.5 s$/);
    expect(terminal.output).toContain('\u001b[?1049h\u001b[?25l');
    terminal.press('q');
    const text = await terminal.ended();
    expect(text).toContain('ended with 0');
    expectRestored(text);
  });

  it('stands still while it is paused, and sorts in the next order', async () => {
    const terminal = top(`${leaking.url} --interval 500ms`);
    await shown(terminal, (lines) => plantRow(lines));
    terminal.press('p');
    await shown(terminal, (lines) => expect(lines.at(-1)).toMatch(/p goes on .*paused$/));
    // An answer that was under way when it was paused may be shown yet.
    const still = await eventually(async () => {
      const before = terminal.screen.slice(0, -1);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(terminal.screen.slice(0, -1)).toEqual(before);
      return before;
    });
    terminal.press('p');
    await shown(terminal, (lines) => expect(liveOf(plantRow(lines))).toBeGreaterThan(liveOf(plantRow(still))));
    terminal.press('s');
    await shown(terminal, (lines) => expect(lines.at(-1)).toContain('s sorts (by live)'));
    terminal.press('\u0003');
    expectRestored(await terminal.ended());
  });

  it('is drawn anew when the window changes', async () => {
    const terminal = top(`${leaking.url} --interval 1h`, { columns: 120, rows: 30 });
    await shown(terminal, (lines) => expect(plantRow(lines)).toContain(PLANT));
    execFileSync('stty', ['-F', terminal.device, 'cols', '60', 'rows', '12']);
    const small = await shown(terminal, (lines) => {
      expect(lines.length).toBeLessThanOrEqual(12);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    });
    expect(small.at(-1)).toContain('q leaves');
    expect(plantRow(small)).toMatch(/\.cjs:\d+/);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('gives the terminal back on %s, and ends by it', async (signal, code) => {
    const terminal = top(leaking.url);
    await shown(terminal, (lines) => plantRow(lines));
    process.kill(terminal.pid(), signal);
    const text = await terminal.ended();
    expect(text).toContain(`ended with ${code}`);
    expectRestored(text);
  });

  it('says since when the process is gone, and finds the next one', async () => {
    // A port that no connection of others can take while nobody listens there.
    const own = await LeakingProcess.start({ PORT: String(await freePort()) });
    const terminal = top(`${own.url} --interval 500ms`);
    const before = await shown(terminal, (lines) => plantRow(lines));
    await own.kill();
    const gone = await shown(terminal, (lines) =>
      expect(lines.at(-1)).toMatch(/^no answer since \d\d:\d\d:\d\d: http:\/\/127\.0\.0\.1:\d+ cannot be reached/),
    );
    // Its last word stays.
    expect(gone[0]!.slice(0, 40)).toBe(before[0]!.slice(0, 40));
    const next = await LeakingProcess.start({ PORT: String(own.port) });
    await shown(terminal, (lines) => expect(lines.at(-1)).toContain('q leaves'));
    terminal.press('q');
    expectRestored(await terminal.ended());
    await next.kill();
  });

  it('tells what is wrong with the address where it can be read', async () => {
    const port = await freePort();
    const terminal = top(`127.0.0.1:${port}`);
    const text = await terminal.ended();
    expect(text).toContain(`UNAVAILABLE: http://127.0.0.1:${port} cannot be reached: ECONNREFUSED`);
    expect(text).toContain('ended with 1');
    expect(text).not.toContain('\u001b[?1049h');
  });

  it('looks once where the terminal can draw nothing, and with --once', async () => {
    for (const [args, env] of [
      [leaking.url, { TERM: 'dumb' }],
      [`${leaking.url} --once`, {}],
    ] as [string, Record<string, string>][]) {
      const text = await top(args, { env }).ended();
      expect(text).toContain('crawl.page');
      expect(text).toContain('ended with 0');
      expect(text).not.toContain('\u001b[?1049h');
    }
  });
});
