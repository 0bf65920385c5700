import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';
import { runCli, runShell } from './support/cli-process.js';
import { withoutColours } from './support/without-colours.js';

jest.setTimeout(120_000);

const TOKEN = 'open sesame';
let service: Service;
let client: CommanderClient;
let port: string;

beforeAll(async () => {
  service = await Service.start({ COMMANDER_TOKEN: TOKEN });
  client = service.client({ token: TOKEN });
  port = String(service.replicas[0].tcpPort);
});
afterAll(() => service.stop());

describe('the token', () => {
  it('is taken from the option or from the environment, the option first', async () => {
    // `health` itself says no when the machine is so busy that Redis is late.
    const ways = await Promise.all([
      runCli(['schedules', '--port', port, '--token', TOKEN]),
      runCli(['schedules', '--port', port], { env: { COMMANDER_TOKEN: TOKEN } }),
      runCli(['schedules', '--port', port, '--token', TOKEN], { env: { COMMANDER_TOKEN: 'wrong' } }),
    ]);
    expect(ways.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ways.map(() => ({ code: 0, stderr: '' })));
  });

  it('is refused when it is wrong or missing, and never printed', async () => {
    const wrong = await Promise.all([
      runCli(['health', '--port', port, '--token', 'mellon']),
      runCli(['health', '--port', port]),
      runCli(['health', '--port', port], { env: { COMMANDER_TOKEN: '' } }),
    ]);
    for (const { code, stdout, stderr } of wrong) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^UNAUTHENTICATED: .+\n$/);
      expect(stderr).not.toContain('mellon');
    }
  });
});

describe('a refused command', () => {
  const asked = (...argv: string[]) => runCli([...argv, '--port', port], { env: { COMMANDER_TOKEN: TOKEN } });

  it.each([
    [['schedules', 'get', 'nowhere']],
    [['schedules', 'pause', 'nowhere']],
    [['schedules', 'trigger', 'nowhere']],
    [['runs', 'get', 'nowhere']],
    [['agents', 'drain', 'nowhere']],
    [['results', 'get', 'nowhere']],
    [['explain', 'nowhere', 'last']],
  ])('%j names the code and exits with 1', async (argv) => {
    const { code, stdout, stderr } = await asked(...argv);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^NOT_FOUND: .*nowhere.*\n/);
  });

  it('is a JSON error with --json', async () => {
    const { code, stdout, stderr } = await asked('schedules', 'get', 'nowhere', '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const error = await client.schedules
      .get({ id: 'nowhere' })
      .catch((thrown: { toWire(): object }) => thrown.toWire());
    expect(JSON.parse(stderr)).toEqual(error);
  });

  it('tells each thing that is wrong with what was sent', async () => {
    const { code, stderr } = await runCli(['schedules', 'sync', '-', '--owner', 'me', '--port', port], {
      env: { COMMANDER_TOKEN: TOKEN },
      input: JSON.stringify([
        { id: 'no job', cron: '* * * * *' },
        { id: 'b', cron: '* * * * *', job: { name: 'x' }, surprise: 1 },
      ]),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^INVALID_ARGUMENT: /);
    for (const path of ['records.0.id', 'records.0.job', 'records.1']) expect(stderr).toContain(path);
  });
});

describe('no commander there', () => {
  it('is told with the address, code 1', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const unused = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));
    const { code, stdout, stderr } = await runCli(['schedules', '--port', String(unused)]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^UNAVAILABLE: commander at 127\\.0\\.0\\.1:${unused} cannot be reached: .+\\n$`),
    );
  });

  it('is told by the deadline when something listens and says nothing', async () => {
    const server = createServer((socket) => socket.resume().on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const mute = String((server.address() as AddressInfo).port);
      const { code, stderr } = await runCli(['health', '--port', mute, '--timeout', '1s', '--json']);
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'DEADLINE_EXCEEDED', retryable: true });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('wrong usage', () => {
  it.each([
    [[], /^no command/],
    [['schedule'], /^no command "schedule": schedules, /],
    [['constructor'], /^no command "constructor"/],
    [['schedules', 'explode'], /^schedules has no "explode": list, get, .*\nsee: mu-commander schedules --help/],
    [['agents', 'toString'], /^agents has no "toString"/],
    [['schedules', 'get'], /^schedules get: ID is missing/],
    [['schedules', 'get', 'a', 'b'], /^schedules get: "b" is one word too many/],
    [['explain', 'a'], /^explain: AT is missing/],
    [['explain', 'a', 'yesterday'], /^"yesterday" is no instant/],
    [['explain', 'a', '2026-01-01T00:00:00'], /is no instant: expected ISO 8601 with a zone/],
    [['health', '--bogus'], /--bogus/],
    [['health', '--dead'], /^health has no option --dead/],
    [['health', '--json=yes'], /--json/],
    [['health', '--host'], /--host/],
    [['health', '--port', '70000'], /^--port: "70000" is no whole number of 1 to 65535/],
    [['health', '--namespace', 'a b'], /^--namespace: "a b" is no namespace/],
    [['health', '--timeout', '5'], /^--timeout: "5" is no duration/],
    [['health', '--timeout', '1h'], /^--timeout: "1h" is too long/],
    [['runs', '--state', 'lost'], /^--state: "lost" is none of delayed, /],
    [['agents', '--state', 'failed'], /^--state: "failed" is none of up, /],
    [['runs', '--limit', '0'], /^--limit: /],
    [['schedules', 'preview'], /^give either the ID of a schedule or a timing/],
    [['schedules', 'preview', 'a', '--cron', '* * * * *'], /^give either/],
    [['schedules', 'trigger', 'a', '--payload', '{'], /^--payload: no JSON/],
    [['schedules', 'sync', '/nowhere/set.json', '--owner', 'me'], /^cannot read \/nowhere\/set.json: ENOENT/],
    [['schedules', 'sync', __filename, '--owner', 'me'], /: no JSON/],
    [['schedules', 'sync', '-'], /^--owner is needed/],
  ])('%j is told on stderr with code 2', async (argv, message) => {
    // Nobody listens there: what is refused has not even tried to connect.
    const { code, stdout, stderr } = await runCli(argv.includes('--port') ? argv : [...argv, '--port', '1']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\nsee: mu-commander .*--help\n$/);
  });
});

describe('the process', () => {
  it('ends by itself and leaves no connection, whether it succeeded or failed', async () => {
    const onlyOursIsOpen = () =>
      eventually(async () => expect((await client.system.stats()).connections.tcpCount).toBe(1));
    await onlyOursIsOpen();
    const ended = await Promise.all(
      [['schedules'], ['schedules', 'get', 'nowhere'], ['stats', '--json']].map((argv) =>
        runCli([...argv, '--port', port, '--token', TOKEN]),
      ),
    );
    expect(ended.map(({ code, signal }) => [code, signal])).toEqual([
      [0, null],
      [1, null],
      [0, null],
    ]);
    await onlyOursIsOpen();
  });

  it('takes a reader that goes away for no error', async () => {
    for (let at = 0; at < 40; at += 1) {
      // Far more than a pipe holds.
      const job = { name: 'crawl', payload: 'x'.repeat(5_000) };
      await client.schedules.upsert({ id: `long-${at}`, cron: '0 3 29 2 *', job });
    }
    const env = { COMMANDER_TOKEN: TOKEN };
    const lines = await runShell(`$CLI schedules --port ${port} | head -1; echo "\${PIPESTATUS[0]}"`, { env });
    expect(lines).toMatchObject({ code: 0, stderr: '' });
    expect(lines.stdout).toMatch(/^SCHEDULE .*\n0\n$/);
    const bytes = await runShell(`$CLI schedules --json --port ${port} | head -c 10; echo "\${PIPESTATUS[0]}"`, {
      env,
    });
    expect(bytes).toMatchObject({ code: 0, stderr: '', stdout: '{"items":[0\n' });
    const nobody = await runShell(`$CLI schedules --json --port ${port} | true; echo "\${PIPESTATUS[0]}"`, { env });
    expect(nobody).toMatchObject({ code: 0, stderr: '', stdout: '0\n' });
  });

  it('does not take a full disk for success', async () => {
    const { stdout, stderr } = await runShell(`$CLI --help > /dev/full; echo "$?"`);
    expect(stdout).toBe('1\n');
    expect(stderr).toMatch(/^mu-commander: cannot write: ENOSPC/);
  });
});

describe('in a terminal', () => {
  const inTerminal = async (command: string, env: Record<string, string> = {}): Promise<string> => {
    const line = `stty cols 40; $CLI ${command} --port ${port}`;
    const { code, stdout } = await runShell(`script -qec ${JSON.stringify(line)} /dev/null`, {
      env: { COMMANDER_TOKEN: TOKEN, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    });
    expect(code).toBe(0);
    return stdout.replaceAll('\r\n', '\n');
  };
  beforeAll(() =>
    client.schedules.upsert({
      id: 'narrow',
      cron: '0 3 29 2 *',
      job: { name: 'crawl' },
      tags: ['one', 'two'],
    }),
  );

  it('uses colours and keeps to the width, naming what it leaves out', async () => {
    const text = await inTerminal('schedules --tag one');
    expect(text).toContain('\u001b[1mSCHEDULE\u001b[22m');
    const lines = withoutColours(text).trimEnd().split('\n');
    for (const line of lines.slice(0, 2)) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines[2]).toMatch(/^\(no room for .*TAGS: a wider window or --json shows them\)$/);
  });

  it('uses none when NO_COLOR or TERM says so', async () => {
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }] as Record<string, string>[]) {
      const text = await inTerminal('schedules --tag one', env);
      expect(text).toContain('narrow');
      expect(text).not.toContain('\u001b');
    }
  });

  it('indents JSON, which is still the reply', async () => {
    const text = await inTerminal('schedules get narrow --json');
    expect(text).toMatch(/^\{\n {2}"/);
    expect(JSON.parse(text)).toEqual(await client.schedules.get({ id: 'narrow' }));
  });
});

describe('a replica that is not well', () => {
  it('is told by `health` with code 1, on stdout, and by other commands as UNAVAILABLE', async () => {
    const frail = await Service.start({ COMMAND_TIMEOUT_MS: '1000' });
    try {
      const frailPort = String(frail.replicas[0].tcpPort);
      await frail.redis.stop();
      await eventually(
        async () => {
          const { code, stdout } = await runCli(['health', '--json', '--port', frailPort]);
          expect(code).toBe(1);
          expect(JSON.parse(stdout)).toMatchObject({ status: 'error', checks: { redis: { status: 'down' } } });
        },
        { timeoutMs: 60_000 },
      );
      const { code, stderr } = await runCli(['schedules', '--timeout', '5s', '--port', frailPort]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^UNAVAILABLE: /);
    } finally {
      await frail.stop();
    }
  });
});
