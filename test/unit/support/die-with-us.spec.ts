import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { transpileModule, ModuleKind } from 'typescript';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';

describe('dieWithUs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'commander-die-with-us-'));
  beforeAll(() => {
    const source = readFileSync(join(__dirname, '../../support/die-with-us.ts'), 'utf8');
    const { outputText } = transpileModule(source, { compilerOptions: { module: ModuleKind.CommonJS } });
    writeFileSync(join(dir, 'die-with-us.js'), outputText);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** A process that spawns `sleep`, watches it when asked to, prints its pid, and is killed without a chance to clean up. */
  async function orphanedPid(watched: boolean): Promise<number> {
    const script = `
      const child = require('node:child_process').spawn('sleep', ['300'], { stdio: 'ignore' });
      ${watched ? `require('./die-with-us.js').dieWithUs(child.pid);` : ''}
      console.log(child.pid);
      setInterval(() => undefined, 1000);`;
    const owner = spawn(process.execPath, ['-e', script], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) =>
      createInterface(owner.stdout).once('line', (line) => resolve(Number(line))),
    );
    expect(isAlive(pid)).toBe(true);
    const ended = new Promise((resolve) => owner.once('exit', resolve));
    owner.kill('SIGKILL');
    await ended;
    return pid;
  }

  it('takes the watched process along after SIGKILL of its owner', async () => {
    const pid = await orphanedPid(true);
    await eventually(() => !isAlive(pid), { what: 'the watched process to die' });
  });

  it('is what does it: without it the process outlives its owner', async () => {
    const pid = await orphanedPid(false);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });
});
