import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { dieWithUs } from '../die-with-us.js';
import { eventually } from '../eventually.js';

const run = promisify(execFile);

/** Programs that are not on the PATH. */
export function missingPrograms(...names: string[]): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.filter((name) => !folders.some((folder) => isExecutable(join(folder, name))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A Docker engine of its own: `dockerd` with a socket, images and containers in a directory that goes with it. Containers
 * have the network of the machine, so it changes no bridge and no firewall. Needs root.
 */
export class DockerEngine {
  private text = '';
  private readonly exited: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {
    const release = dieWithUs(child.pid!);
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.text = (this.text + chunk.toString()).slice(-65_536)));
    }
    this.exited = new Promise((resolve) => {
      child.once('close', () => {
        release();
        resolve();
      });
    });
  }

  /** @throws Error with the end of its log when it does not answer within a minute */
  static async start(): Promise<DockerEngine> {
    const directory = await mkdtemp(join(tmpdir(), 'commander-docker-'));
    const at = (name: string) => join(directory, name);
    const args = [
      ...[
        '--data-root',
        at('data'),
        '--exec-root',
        at('exec'),
        '--pidfile',
        at('pid'),
        '--host',
        `unix://${at('socket')}`,
      ],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    ];
    const child = spawn('dockerd', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const engine = new DockerEngine(child, directory);
    try {
      await eventually(() => engine.docker('info'), { timeoutMs: 60_000, intervalMs: 250, what: 'dockerd' });
      return engine;
    } catch (error) {
      await engine.stop();
      throw new Error(`${(error as Error).message}\n${engine.text}`, { cause: error });
    }
  }

  /** Runs `docker …` against this engine, with the builder that needs no plug-in; resolves with its output, trimmed. */
  async docker(...args: string[]): Promise<string> {
    const env = { ...process.env, DOCKER_HOST: `unix://${join(this.directory, 'socket')}`, DOCKER_BUILDKIT: '0' };
    try {
      const { stdout } = await run('docker', args, { env, maxBuffer: 64 * 2 ** 20 });
      return stdout.trim();
    } catch (error) {
      // A build that fails tells why on its standard output.
      if (error instanceof Error)
        error.message += `\n${(error as Error & { stdout?: string }).stdout?.slice(-4_000) ?? ''}`;
      throw error;
    }
  }

  /** Ends it with what it still runs, and removes its directory. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
    // What dockerd leaves mounted when it ends.
    await run('umount', [join(this.directory, 'exec/netns/default')]).catch(() => undefined);
    await rm(this.directory, { recursive: true, force: true });
  }
}
