import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { redactedReport } from '../../../src/diagnostics/report/redacted-report';
import { takenReport } from '../../../src/diagnostics/report/taken-report';
import { httpGet } from '../../support/http-get';
import { DiagnosticsApp } from '../support/diagnostics-app';

const SECRET = 'planted-in-a-report';

interface Handle {
  type: string;
  localEndpoint?: { host: string };
}
interface Report {
  header: Record<string, unknown> & { commandLine: string[] };
  libuv: Handle[];
  workers: Report[];
  environmentVariables?: Record<string, string>;
}
const report = process.report as unknown as { excludeNetwork: boolean; getReport(): Report };

/** As the report has it for 127.0.0.1: a name where names are looked up. */
const hostsOf = ({ libuv }: Report): string[] =>
  libuv.flatMap(({ type, localEndpoint }) => (type === 'tcp' && localEndpoint ? [localEndpoint.host] : []));

describe('the report', () => {
  let server: Server;
  let socket: Socket;
  let worker: Worker;

  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    await once(socket, 'connect');
    worker = new Worker('setInterval(() => undefined, 1000)', { eval: true, env: { WORKER_PASSWORD: SECRET } });
    await once(worker, 'online');
  });
  afterAll(async () => {
    socket.destroy();
    server.close();
    await worker.terminate();
  });

  it('asks nobody for the names of addresses, and leaves the flags as they were', () => {
    report.excludeNetwork = false;
    // What this machine calls 127.0.0.1 is in its own file: so the control can be taken without a network.
    const [named] = hostsOf(report.getReport());
    const taken = takenReport() as unknown as Report;
    expect(report.excludeNetwork).toBe(false);
    expect(hostsOf(taken).length).toBeGreaterThan(0);
    expect(new Set(hostsOf(taken))).toEqual(new Set(['127.0.0.1']));
    expect(named).not.toBe('127.0.0.1');
    expect(taken.header).not.toHaveProperty('networkInterfaces');
    report.excludeNetwork = true;
    takenReport();
    expect(report.excludeNetwork).toBe(true);
    report.excludeNetwork = false;
  });

  it('leaves out environment, arguments and addresses, of the workers too', () => {
    const whole = report.getReport();
    // What the environment of this process holds, whatever jest shows of it.
    const fromEnvironment = Object.values(whole.environmentVariables!).filter((value) => value.length > 20);
    expect(fromEnvironment.length).toBeGreaterThan(0);
    whole.header.commandLine = ['/usr/bin/node', `${process.cwd()}/main.js`, `--password=${SECRET}`, 'x'];
    const shown = redactedReport(whole as unknown as Record<string, unknown>) as unknown as Report;
    for (const secret of [SECRET, '127.0.0.1', ...fromEnvironment])
      expect(JSON.stringify(shown).includes(JSON.stringify(secret).slice(1, -1))).toBe(false);
    expect(shown.header.commandLine).toEqual(['node', 'main.js', '(2 not shown)']);
    expect(shown.workers).toHaveLength(1);
    for (const part of [shown, ...shown.workers]) {
      expect(Object.keys(part).sort()).toEqual(
        [
          'header',
          'javascriptHeap',
          'libuv',
          'resourceUsage',
          'sharedObjects',
          'userLimits',
          'uvthreadResourceUsage',
          'workers',
        ].sort(),
      );
      expect(part.header).toMatchObject({ nodejsVersion: process.version, platform: process.platform });
    }
    expect(shown.libuv.some(({ type }) => type === 'tcp')).toBe(true);
  });

  it('would not show a section or field that a later Node adds', () => {
    const later = {
      header: { nodejsVersion: 'v99', secrets: SECRET },
      secrets: [SECRET],
      libuv: [{ type: 'tcp', peer: SECRET }],
    };
    expect(JSON.stringify(redactedReport(later))).not.toContain(SECRET);
  });

  it('is served', async () => {
    const served = await DiagnosticsApp.start();
    try {
      const answer = await httpGet(served.url('/diagnostics/report'));
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      expect(answer.json()).toHaveProperty('javascriptHeap.heapSpaces');
    } finally {
      await served.app.close();
    }
  });
});
