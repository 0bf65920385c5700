import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { dieWithUs } from '../support/die-with-us';

const root = join(__dirname, '../..');

describe('npm run demo:incident', () => {
  it('names the line of the leak, and takes the verdict back after the cure', async () => {
    const child = spawn(process.execPath, [join(root, 'scripts/demo-incident.mjs'), '--built'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const release = dieWithUs(child.pid!);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const code = await new Promise((resolve) => child.once('close', resolve));
    release();
    expect(output).toMatch(
      /redis clients, made at examples\/incident\/agent\/leaky-crawler\.ts:14 in LeakyCrawler\.crawl/,
    );
    expect(output).toMatch(/✓ the verdict was taken back/);
    expect(output).not.toContain('✗');
    expect(code).toBe(0);
  }, 600_000);
});
