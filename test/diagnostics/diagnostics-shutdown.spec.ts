import { fork } from 'node:child_process';
import { join } from 'node:path';
import { Diagnostics } from '../../src/diagnostics/index';
import { dieWithUs } from '../support/die-with-us';
import { DiagnosticsApp } from './support/diagnostics-app';

const root = join(__dirname, '../..');

describe('DiagnosticsModule in an application of somebody else', () => {
  it('loads nothing of Redis or the transport, and lets the process end by itself once closed', async () => {
    const child = fork(join(__dirname, 'fixtures/foreign-app.ts'), {
      cwd: root,
      execArgv: ['--require', join(root, 'scripts/lib/register-typescript.cjs')],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const release = dieWithUs(child.pid!);
    const messages: { status: number; sections: string[]; packages: string[]; folders: string[] }[] = [];
    child.on('message', (message) => messages.push(message as (typeof messages)[number]));
    const exit = await new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    release();
    expect(exit).toEqual({ code: 0, signal: null });
    expect(messages).toHaveLength(1);
    expect(messages[0]!.status).toBe(200);
    expect(messages[0]!.sections).toContain('eventLoopDelay');
    expect(messages[0]!.packages).toEqual([]);
    const folders = messages[0]!.folders;
    expect([...new Set(folders.map((folder) => folder.split('/')[0]))].sort()).toEqual([
      'contract',
      'diagnostics',
      'ledger',
    ]);
    // What knows the rest of commander.
    for (const ours of ['diagnostics/commands', 'diagnostics/sources', 'diagnostics/sinks'])
      expect(folders).not.toContain(ours);
  });

  it('stops what it started when the application has closed, not before', async () => {
    const served = await DiagnosticsApp.start();
    const { summary } = served.app.get(Diagnostics);
    expect((await summary.read()).eventLoopDelay).toHaveProperty('windowMs');
    await served.app.close();
    expect((await summary.read()).eventLoopDelay).toEqual({ error: 'Error' });
  });
});
