import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dieWithUs } from '../die-with-us.js';
import { eventually } from '../eventually.js';
import { MemoryCgroup, type MemoryReading } from './memory-cgroup.js';
import type { ContainerSpec } from './container-spec.js';

const run = promisify(execFile);
const LAUNCHER = join(__dirname, 'launch-container.sh');
const OUTPUT_LIMIT = 4 * 1024 * 1024;
const PATH = '/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How a container ended, as a kubelet reports it. */
export interface Termination {
  /** 128 + signal for one that was killed. */
  exitCode: number;
  reason: 'Completed' | 'Error' | 'OOMKilled';
  /** What it used at its peak. */
  memory: MemoryReading;
}

export interface ContainerOptions {
  spec: ContainerSpec;
  /** Name of the cgroup: unique in this process. */
  name: string;
  hostname: string;
  env: Readonly<Record<string, string>>;
  /** What the image has in /app. */
  appDirectory: string;
  nodeFile: string;
  volumes: readonly { directory: string; mountPath: string; isReadOnly: boolean }[];
}

/**
 * One life of a container without a container engine: its own mount, PID, IPC, UTS and cgroup namespaces, a read-only
 * root, the user, groups and capabilities of the manifest, and a real memory cgroup. The network is the machine's.
 */
export class Container {
  private text = '';
  /** Resolves, never rejects, when it has ended and its cgroup is gone. */
  readonly ended: Promise<Termination>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly cgroup: MemoryCgroup,
    private readonly spec: ContainerSpec,
    root: string,
  ) {
    const release = dieWithUs(child.pid!);
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.text = (this.text + chunk.toString()).slice(-OUTPUT_LIMIT)));
    }
    this.ended = new Promise<Termination>((resolve) => {
      child.once('close', (code, signal) => {
        release();
        const exitCode = code ?? 128 + constants.signals[signal!];
        const memory = cgroup.read();
        const reason = cgroup.oomKills() > 0 ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
        void cgroup.remove().then(() => {
          rmdirSync(root);
          resolve({ exitCode, reason, memory });
        });
      });
    });
  }

  static start({ spec, name, hostname, env, appDirectory, nodeFile, volumes }: ContainerOptions): Container {
    const cgroup = MemoryCgroup.create(name, spec.memoryLimitBytes);
    const root = mkdtempSync(join(tmpdir(), 'commander-pod-root-'));
    const namespaces = ['--mount', '--pid', '--ipc', '--uts'];
    // Not unshare's own --fork: it cannot tell a child that was killed from one that failed.
    const parent = ['sh', '-c', 'setpriv --pdeathsig KILL sh "$0" "$@"; exit $?'];
    const child = spawn('unshare', [...namespaces, ...parent, LAUNCHER, ...spec.command], {
      // Not ours: a container has the environment of its image and its manifest.
      env: {
        PATH,
        HOME: '/home/node',
        HOSTNAME: hostname,
        ...env,
        POD_ROOT: root,
        POD_CGROUP: cgroup.directory,
        POD_CGROUP_AT: cgroup.seenAt,
        POD_NODE: nodeFile,
        POD_APP: appDirectory,
        POD_VOLUMES: volumes
          .map(({ directory, mountPath, isReadOnly }) => `${isReadOnly ? 'ro' : 'rw'} ${directory} ${mountPath}`)
          .join('\n'),
        POD_HOSTNAME: hostname,
        POD_UID: String(spec.uid),
        POD_GID: String(spec.gid),
        POD_GROUPS: spec.fsGroup === undefined ? '' : String(spec.fsGroup),
        POD_CAPS: spec.dropsCapabilities ? 'drop' : 'keep',
        POD_WRITABLE_ROOT: String(!spec.hasReadOnlyRoot),
        POD_NO_NEW_PRIVS: String(spec.hasNoNewPrivileges),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Container(child, cgroup, spec, root);
  }

  /** Everything it printed so far (the last 4 MiB). */
  output(): string {
    return this.text;
  }

  memory(): MemoryReading {
    return this.cgroup.read();
  }

  /** Sends a signal to its process 1, from outside as a kubelet does. Does nothing when it is gone. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.pid();
    if (pid === undefined) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /**
   * Runs a command in the container, in its namespaces, cgroup and as its user; resolves with what it printed.
   * @throws Error when it fails, or the container is gone
   */
  async exec(command: readonly string[]): Promise<string> {
    const pid = await eventually(() => this.pid() ?? false, { what: 'a container that runs' });
    const { uid, gid, fsGroup, dropsCapabilities } = this.spec;
    const join = `echo 0 >"$0/cgroup.procs"; exec "$@"`;
    const enter = ['nsenter', '--target', String(pid), '--mount', '--pid', '--ipc', '--uts', '--root', '--wd'];
    const user = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--groups', String(fsGroup ?? gid)];
    const caps = dropsCapabilities ? ['--bounding-set=-all', '--inh-caps=-all'] : [];
    const args = ['-c', join, this.cgroup.directory, ...enter, ...user, ...caps, '--no-new-privs', ...command];
    const { stdout } = await run('sh', args, { env: { PATH } });
    return stdout;
  }

  /** Process 1 of the container as this machine sees it. */
  private pid(): number | undefined {
    try {
      const own = this.child.pid!;
      const [child] = readFileSync(`/proc/${own}/task/${own}/children`, 'utf8').trim().split(' ');
      return child ? Number(child) : undefined;
    } catch {
      return undefined;
    }
  }
}
