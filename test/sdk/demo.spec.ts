import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dieWithUs } from '../support/die-with-us.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';

const root = join(__dirname, '../..');

class Demo {
  output = '';
  readonly exited: Promise<number | null>;
  private readonly child;

  constructor() {
    this.child = spawn(process.execPath, [join(root, 'scripts/demo.mjs'), '--built'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const release = dieWithUs(this.child.pid!);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.on('data', (chunk) => (this.output += String(chunk)));
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code) => {
        release();
        resolve(code);
      }),
    );
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }

  /** Every process that it names or that works in its data directory. */
  leftovers(): number[] {
    const named = [...this.output.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid));
    return named.filter(isAlive);
  }

  dataLeft(): string[] {
    return readdirSync(join(root, '.data')).filter((name) => name.startsWith(`demo-${this.child.pid}`));
  }
}

describe('npm run demo', () => {
  it('shows schedules, runs, lists, survives a killed agent, and leaves nothing behind', async () => {
    const demo = new Demo();
    const code = await demo.exited;
    expect(demo.output).not.toContain('✗');
    expect(code).toBe(0);
    expect(demo.output).toMatch(/✓ runs went on: \d+ after the kill, all on crawler-2/);
    expect(demo.output).toMatch(/ {2}crawler-1 +down/);
    expect(demo.output.match(/^ {2}\S+ ✓ hot-list-\w+ +on crawler-[12]/gm)!.length).toBeGreaterThanOrEqual(15);
    expect(demo.leftovers()).toEqual([]);
    expect(demo.dataLeft()).toEqual([]);
  }, 180_000);

  it('ends everything on Ctrl-C', async () => {
    const demo = new Demo();
    await eventually(() => demo.output.includes('✓ hot-list-'), { timeoutMs: 90_000, what: demo.output });
    expect(demo.leftovers()).toHaveLength(2);
    demo.interrupt();
    expect(await demo.exited).toBe(130);
    expect(demo.leftovers()).toEqual([]);
    expect(demo.dataLeft()).toEqual([]);
  }, 180_000);
});
