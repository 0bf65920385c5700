import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const library = join(__dirname, '../../scripts/lib/lock-file.mjs');

describe('the lock on the data of a checkout', () => {
  const dir = mkdtempSync(join(tmpdir(), 'commander-lock-'));
  const lockFile = join(dir, 'sub', 'data.lock');
  afterAll(() => rmSync(dir, { recursive: true }));
  afterEach(() => rmSync(lockFile, { force: true }));

  /** A process that tries to take the lock, prints what it got, and keeps it until its stdin closes. */
  function contender(): {
    result: Promise<{ pid: number; got?: true; holder?: number }>;
    end: (signal?: NodeJS.Signals) => Promise<void>;
  } {
    const script = `import(${JSON.stringify(library)}).then(({ takeLock }) => {
      const lock = takeLock(${JSON.stringify(lockFile)});
      console.log(JSON.stringify({ pid: process.pid, ...(lock.release ? { got: true } : { holder: lock.holder.pid }) }));
      process.stdin.once('end', () => process.exit(0)).resume();
    })`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return {
      result: new Promise((resolve) => child.stdout.once('data', (line) => resolve(JSON.parse(String(line))))),
      end: (signal) => {
        if (signal) child.kill(signal);
        else child.stdin.end();
        return exited;
      },
    };
  }

  it('is held by one process until that one exits', async () => {
    const first = contender();
    const { pid } = await first.result;
    const second = contender();
    expect(await second.result).toMatchObject({ holder: pid });
    await second.end();
    expect(existsSync(lockFile)).toBe(true);
    await first.end();
    expect(existsSync(lockFile)).toBe(false);
    const third = contender();
    expect(await third.result).toMatchObject({ got: true });
    await third.end();
  });

  it('of a killed process is taken over', async () => {
    const first = contender();
    await first.result;
    await first.end('SIGKILL');
    expect(existsSync(lockFile)).toBe(true);
    const second = contender();
    expect(await second.result).toMatchObject({ got: true });
    await second.end();
  });

  it('of a process whose number somebody else has now is taken over, and of that very process it is not', async () => {
    const holder = contender();
    await holder.result;
    const content = readFileSync(lockFile, 'utf8');
    writeFileSync(lockFile, JSON.stringify({ ...JSON.parse(content), startTime: '1' }));
    const second = contender();
    expect(await second.result).toMatchObject({ got: true });
    await second.end();
    writeFileSync(lockFile, content);
    const third = contender();
    expect(await third.result).not.toHaveProperty('got');
    await third.end();
    await holder.end();
  });

  it('with unreadable content is taken over', async () => {
    writeFileSync(lockFile, '{"pid":');
    const only = contender();
    expect(await only.result).toMatchObject({ got: true });
    await only.end();
  });

  it('goes to exactly one of many that come at once upon a stale one', async () => {
    writeFileSync(lockFile, JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1' }));
    const contenders = Array.from({ length: 8 }, contender);
    const results = await Promise.all(contenders.map(({ result }) => result));
    expect(results.filter(({ got }) => got)).toHaveLength(1);
    await Promise.all(contenders.map(({ end }) => end()));
    expect(readdirSync(join(dir, 'sub'))).toEqual([]);
  });
});
