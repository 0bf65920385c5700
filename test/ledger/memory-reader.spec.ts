import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MemoryReader } from '../../src/ledger/process/memory-figures';

const MiB = 1_048_576;

/** `memory.stat` of a cgroup as the kernel writes it, shortened. */
const stat = (idleName: string, idleBytes: number) =>
  `anon 52428800\nfile 31457280\nkernel_stack 196608\n${idleName} ${idleBytes}\nactive_file 4096\nworkingset_refault 0\n`;

describe('what memory is measured against', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'memory-reader-spec-'));
    limits(192 * MiB, 92 * MiB);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(root, { recursive: true, force: true });
  });

  const files = (tree: Record<string, string>): void => {
    for (const [name, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
  };
  /** What Node reads of the cgroup itself. */
  const limits = (constrained: number, available: number): void => {
    jest.spyOn(process, 'constrainedMemory').mockReturnValue(constrained);
    jest.spyOn(process as { availableMemory(): number }, 'availableMemory').mockReturnValue(available);
  };
  const usedMiB = (): number => new MemoryReader(root).read().usedBytes / MiB;

  it('cgroup 2, the whole tree mounted: the group that /proc names', () => {
    files({
      '/proc/self/cgroup': '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-abc.scope\n',
      '/sys/fs/cgroup/memory.stat': stat('inactive_file', 70 * MiB),
      '/sys/fs/cgroup/kubepods.slice/kubepods-pod1.slice/cri-containerd-abc.scope/memory.stat': stat(
        'inactive_file',
        30 * MiB,
      ),
    });
    expect(usedMiB()).toBe(192 - 92 - 30);
  });

  it('cgroup 2 in a container with a namespace of its own: the root of the mount', () => {
    files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': stat('inactive_file', 20 * MiB) });
    expect(usedMiB()).toBe(192 - 92 - 20);
  });

  it('cgroup 2 in a container that sees the path of its host: the root of the mount, too', () => {
    files({
      '/proc/self/cgroup': '0::/docker/0123abcd\n',
      '/sys/fs/cgroup/memory.stat': stat('inactive_file', 10 * MiB),
    });
    expect(usedMiB()).toBe(192 - 92 - 10);
  });

  it('cgroup 1: the memory controller, with its total over the groups below', () => {
    files({
      '/proc/self/cgroup':
        '12:pids:/docker/abc\n11:cpu,cpuacct:/docker/abc\n5:memory:/docker/abc\n1:name=systemd:/docker/abc\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.stat': `${stat('inactive_file', MiB)}${stat('total_inactive_file', 40 * MiB)}`,
    });
    expect(usedMiB()).toBe(192 - 92 - 40);
  });

  it('cgroup 1 with controllers that share a hierarchy, seen from inside', () => {
    files({
      '/proc/self/cgroup': '4:cpuset,memory,hugetlb:/kubepods/pod1/abc\n',
      '/sys/fs/cgroup/memory/memory.stat': stat('total_inactive_file', 50 * MiB),
    });
    expect(usedMiB()).toBe(192 - 92 - 50);
  });

  it('both versions side by side: where the memory controller is', () => {
    files({
      '/proc/self/cgroup': '5:memory:/a\n0::/b\n',
      '/sys/fs/cgroup/memory/a/memory.stat': stat('total_inactive_file', 5 * MiB),
      '/sys/fs/cgroup/b/memory.stat': stat('inactive_file', 80 * MiB),
    });
    expect(usedMiB()).toBe(192 - 92 - 5);
  });

  it.each([
    ['no /proc', {}],
    ['no memory.stat', { '/proc/self/cgroup': '0::/x\n' }],
    ['a memory.stat without the line', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': 'anon 1\n' }],
    ['a damaged one', { '/proc/self/cgroup': '\0\0', '/sys/fs/cgroup/memory.stat': 'inactive_file many\n' }],
  ])('%s: what is resident', (_, tree) => {
    files(tree);
    jest.spyOn(process.memoryUsage, 'rss').mockReturnValue(77 * MiB);
    expect(usedMiB()).toBe(77);
  });

  it('a group that ends while it is read: what is resident', () => {
    files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': stat('inactive_file', 20 * MiB) });
    const reader = new MemoryReader(root);
    rmSync(join(root, 'sys'), { recursive: true });
    jest.spyOn(process.memoryUsage, 'rss').mockReturnValue(66 * MiB);
    expect(reader.read().usedBytes / MiB).toBe(66);
  });

  it.each([
    ['"max" of cgroup 2, as Node reads it', 2 ** 64],
    ['the largest page count of cgroup 1', 9_223_372_036_854_771_712],
    ['none known', 0],
    ['more than the machine has', totalmem() * 2],
  ])('no limit: %s', (_, constrained) => {
    limits(constrained, 1);
    expect(new MemoryReader(root).read()).toMatchObject({ limitBytes: null, usedBytes: 0 });
  });

  it('never less than nothing, when the figures are of different moments', () => {
    files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': stat('inactive_file', 150 * MiB) });
    expect(usedMiB()).toBe(0);
  });

  it("tells V8's own limit, with and without one of the cgroup", () => {
    const { heapUsedBytes, heapLimitBytes } = new MemoryReader(root).read();
    expect(heapUsedBytes).toBeGreaterThan(MiB);
    expect(heapLimitBytes).toBeGreaterThan(heapUsedBytes);
  });
});
