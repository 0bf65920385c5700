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

/** One look, by the names that a version has for its figures. */
function read(group, names) {
  const usageBytes = number(group, names.usage);
  return {
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - field(group, 'memory.stat', names.idleFile)),
    anonymousBytes: field(group, 'memory.stat', names.anonymous),
    fileBytes: field(group, 'memory.stat', names.file),
    readAgainBytes: refaultedPages(group, names.refaultPrefix) * PAGE_BYTES,
    // Under version 2 Linux 5.19 brought it.
    peakBytes: existsSync(join(group, names.peak)) ? number(group, names.peak) : usageBytes,
  };
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
  read: (group) =>
    read(group, {
      ...{ usage: 'memory.usage_in_bytes', peak: 'memory.max_usage_in_bytes' },
      ...{ anonymous: 'total_rss', file: 'total_cache', idleFile: 'total_inactive_file', refaultPrefix: 'total_' },
    }),
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
  read: (group) =>
    read(group, {
      ...{ usage: 'memory.current', peak: 'memory.peak' },
      ...{ anonymous: 'anon', file: 'file', idleFile: 'inactive_file', refaultPrefix: '' },
    }),
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
