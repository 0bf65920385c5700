// The memory controller of the kernel, version 1 or 2: where it is, how a group is limited, what a group says.
// CommonJS, because tests load it, too.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const text = (directory, file) => readFileSync(join(directory, file), 'utf8').trim();
const PAGE_BYTES = 4_096;

const number = (directory, file) => Number(text(directory, file));

/** A field of a file with lines of `name value`. */
function field(directory, file, name) {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text(directory, file))?.[1];
  if (value === undefined) throw new Error(`${directory}/${file}: no ${name}`);
  return Number(value);
}

/** Pages of files that had been dropped and were read again. Its name before Linux 5.9 is without the last word; older kernels do not count. */
function refaultedPages(directory, prefix) {
  const stat = text(directory, 'memory.stat');
  return Number(new RegExp(`^${prefix}workingset_refault(?:_file)? (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
}

/** Writes to a file that not every kernel has: where swap is not counted there is none to give. */
function writeIfThere(directory, file, value) {
  if (existsSync(join(directory, file))) writeFileSync(join(directory, file), value);
}

const version1 = (root) => ({
  version: 1,
  mount: join(root, 'memory'),
  seenAt: '/memory',
  allowBelow: () => undefined,
  limit(group, bytes) {
    writeFileSync(join(group, 'memory.limit_in_bytes'), String(bytes));
    // The sum with swap: no swap for containers.
    writeIfThere(group, 'memory.memsw.limit_in_bytes', String(bytes));
  },
  read(group) {
    const usageBytes = number(group, 'memory.usage_in_bytes');
    return {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - field(group, 'memory.stat', 'total_inactive_file')),
      anonymousBytes: field(group, 'memory.stat', 'total_rss'),
      fileBytes: field(group, 'memory.stat', 'total_cache'),
      readAgainBytes: refaultedPages(group, 'total_') * PAGE_BYTES,
      peakBytes: number(group, 'memory.max_usage_in_bytes'),
    };
  },
  // memory.failcnt stays 0 on newer kernels.
  oomKills: (group) => field(group, 'memory.oom_control', 'oom_kill'),
});

const version2 = (root) => ({
  version: 2,
  mount: root,
  seenAt: '',
  allowBelow(group) {
    const control = join(group, 'cgroup.subtree_control');
    if (!readFileSync(control, 'utf8').split(/\s/).includes('memory')) writeFileSync(control, '+memory');
  },
  limit(group, bytes) {
    writeFileSync(join(group, 'memory.max'), String(bytes));
    writeIfThere(group, 'memory.swap.max', '0');
  },
  read(group) {
    const usageBytes = number(group, 'memory.current');
    return {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - field(group, 'memory.stat', 'inactive_file')),
      anonymousBytes: field(group, 'memory.stat', 'anon'),
      fileBytes: field(group, 'memory.stat', 'file'),
      readAgainBytes: refaultedPages(group, '') * PAGE_BYTES,
      // Linux 5.19 brought it.
      peakBytes: existsSync(join(group, 'memory.peak')) ? number(group, 'memory.peak') : usageBytes,
    };
  },
  oomKills: (group) => field(group, 'memory.events', 'oom_kill'),
});

/** Finds it; undefined where this machine has none. */
function memoryController(root = '/sys/fs/cgroup') {
  if (existsSync(join(root, 'memory/memory.limit_in_bytes'))) return version1(root);
  const controllers = join(root, 'cgroup.controllers');
  const has = existsSync(controllers) && readFileSync(controllers, 'utf8').split(/\s/).includes('memory');
  return has ? version2(root) : undefined;
}

module.exports = { memoryController };
