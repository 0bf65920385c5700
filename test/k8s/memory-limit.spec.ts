import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { memoryLimitBytes } from '../../src/ledger/process/memory-limit';
import { describeWithPods } from '../support/pod/pod-machine.js';

const MiB = 2 ** 20;

/** Lays files over /proc/<own pid>/cgroup and /sys/fs/cgroup, then becomes node: the process id stays. */
const SCRIPT = `
mount --make-rprivate /
mount --bind "$0/cgroup" /proc/$$/cgroup
mount --bind "$0/fs" /sys/fs/cgroup
exec "$@"
`;

// Version 1 is seen for real in pods.spec.ts wherever the kernel has it; here is what version 2 lays out, whatever the kernel has.
describeWithPods('the memory limit that a process reads itself under cgroup version 2', () => {
  const directory = mkdtempSync(join(tmpdir(), 'commander-cgroup-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  function limitOf(own: string, files: Record<string, Record<string, string>>): number | null {
    rmSync(join(directory, 'fs'), { recursive: true, force: true });
    mkdirSync(join(directory, 'fs'));
    writeFileSync(join(directory, 'cgroup'), `0::${own}\n`);
    for (const [group, contents] of Object.entries(files)) {
      mkdirSync(join(directory, 'fs', group), { recursive: true });
      for (const [name, content] of Object.entries(contents))
        writeFileSync(join(directory, 'fs', group, name), content);
    }
    const program = 'console.log(String(process.constrainedMemory()))';
    const args = ['--mount', 'sh', '-c', SCRIPT, directory, process.execPath, '-e', program];
    const constrained = execFileSync('unshare', args, { encoding: 'utf8' });
    return memoryLimitBytes(Number(constrained), totalmem());
  }

  it('is memory.max of its own group', () => {
    const own = { 'memory.max': `${192 * MiB}\n`, 'memory.high': 'max\n', 'memory.current': '1048576\n' };
    expect(limitOf('/', { '.': own })).toBe(192 * MiB);
    expect(limitOf('/kubepods/pod1', { '.': { 'memory.max': 'max\n' }, 'kubepods/pod1': own })).toBe(192 * MiB);
  });

  it('is none where memory.max says max', () => {
    expect(limitOf('/', { '.': { 'memory.max': 'max\n', 'memory.high': 'max\n' } })).toBeNull();
  });
});
