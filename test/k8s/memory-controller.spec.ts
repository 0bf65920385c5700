import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryController } from '../../scripts/lib/memory-controller.cjs';

const MiB = 2 ** 20;

/** As the kernel writes it under version 2 (Linux 6.1), shortened in the middle. */
const STAT_2 = `anon 53477376
file 41418752
kernel 4055040
kernel_stack 180224
pagetables 1146880
sec_pagetables 0
percpu 2880
sock 0
vmalloc 0
shmem 0
zswap 0
zswapped 0
file_mapped 31981568
file_dirty 0
file_writeback 0
swapcached 0
anon_thp 0
file_thp 0
shmem_thp 0
inactive_anon 53440512
active_anon 20480
inactive_file 25165824
active_file 16252928
unevictable 0
slab_reclaimable 1196152
slab_unreclaimable 1301440
slab 2497592
workingset_refault_anon 0
workingset_refault_file 256
pgfault 91423
pgmajfault 18
`;

/** And version 1, with the sums of the groups below, which are what counts. */
const STAT_1 = `cache 4096
rss 8192
inactive_file 4096
active_file 0
hierarchical_memory_limit 134217728
hierarchical_memsw_limit 134217728
total_cache 41418752
total_rss 53477376
total_rss_huge 0
total_mapped_file 31981568
total_inactive_anon 53440512
total_active_anon 20480
total_inactive_file 25165824
total_active_file 16252928
total_unevictable 0
total_workingset_refault_anon 0
total_workingset_refault_file 256
`;

/** What both say. */
const READING = {
  usageBytes: 95 * MiB,
  workingSetBytes: 71 * MiB,
  anonymousBytes: 51 * MiB,
  fileBytes: 39.5 * MiB,
  readAgainBytes: 1 * MiB,
  peakBytes: 115 * MiB,
};

// The one that this machine has is at work in every test with a pod; here are both, whatever the machine has.
describe('the memory controller', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'commander-controller-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  function files(directory: string, contents: Record<string, string>): void {
    mkdirSync(join(root, directory), { recursive: true });
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(root, directory, name), content);
  }
  const content = (path: string) => readFileSync(join(root, path), 'utf8');

  it('of version 2 reads what its files say', () => {
    files('.', { 'cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n' });
    files('pod', {
      'memory.current': '99614720\n',
      'memory.peak': '120586240\n',
      'memory.stat': STAT_2,
      'memory.events': 'low 0\nhigh 0\nmax 213\noom 2\noom_kill 1\noom_group_kill 0\n',
    });
    const controller = memoryController(root)!;
    expect(controller).toMatchObject({ version: 2, mount: root, seenAt: '' });
    expect(controller.read(join(root, 'pod'))).toEqual(READING);
    // Not `oom`, and not `oom_group_kill`.
    expect(controller.oomKills(join(root, 'pod'))).toBe(1);
    // Kernels before 5.19 keep no peak.
    rmSync(join(root, 'pod/memory.peak'));
    expect(controller.read(join(root, 'pod')).peakBytes).toBe(95 * MiB);
  });

  it('of version 2 limits a group without swap, where its parent has the leave', () => {
    files('.', { 'cgroup.controllers': 'memory pids\n', 'cgroup.subtree_control': 'cpu pids\n' });
    files('pod', { 'memory.max': 'max\n', 'memory.swap.max': 'max\n', 'cgroup.subtree_control': 'memory\n' });
    const controller = memoryController(root)!;
    controller.allowBelow(root);
    expect(content('cgroup.subtree_control')).toBe('+memory');
    controller.allowBelow(join(root, 'pod'));
    expect(content('pod/cgroup.subtree_control')).toBe('memory\n');
    controller.limit(join(root, 'pod'), 128 * MiB);
    expect(content('pod/memory.max')).toBe('134217728');
    expect(content('pod/memory.swap.max')).toBe('0');
  });

  it('of version 1 reads what its files say, of the groups below, too', () => {
    files('memory', { 'memory.limit_in_bytes': '9223372036854771712\n' });
    files('memory/pod', {
      'memory.usage_in_bytes': '99614720\n',
      'memory.max_usage_in_bytes': '120586240\n',
      'memory.stat': STAT_1,
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
      'memory.limit_in_bytes': '9223372036854771712\n',
      'memory.memsw.limit_in_bytes': '9223372036854771712\n',
    });
    const controller = memoryController(root)!;
    const group = join(root, 'memory/pod');
    expect(controller).toMatchObject({ version: 1, mount: join(root, 'memory'), seenAt: '/memory' });
    expect(controller.read(group)).toEqual(READING);
    expect(controller.oomKills(group)).toBe(1);
    controller.limit(group, 128 * MiB);
    expect(content('memory/pod/memory.limit_in_bytes')).toBe('134217728');
    expect(content('memory/pod/memory.memsw.limit_in_bytes')).toBe('134217728');
  });

  it('is version 1 where both are mounted and version 1 has the memory, and none where neither has', () => {
    expect(memoryController(root)).toBeUndefined();
    files('.', { 'cgroup.controllers': 'hugetlb\n' });
    expect(memoryController(root)).toBeUndefined();
    files('memory', { 'memory.limit_in_bytes': '9223372036854771712\n' });
    expect(memoryController(root)?.version).toBe(1);
  });

  it('says which field a file lacks', () => {
    files('.', { 'cgroup.controllers': 'memory\n' });
    files('pod', { 'memory.current': '1\n', 'memory.stat': 'anon 1\n', 'memory.events': 'max 0\n' });
    const controller = memoryController(root)!;
    expect(() => controller.read(join(root, 'pod'))).toThrow(/memory\.stat: no inactive_file/);
    expect(() => controller.oomKills(join(root, 'pod'))).toThrow(/memory\.events: no oom_kill/);
  });
});
