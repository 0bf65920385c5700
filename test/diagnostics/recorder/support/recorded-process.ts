import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { EvidenceDirectory, type EvidenceEntry } from '../../../../src/diagnostics/recorder/files/evidence-directory';
import { PastLives } from '../../../../src/diagnostics/lives/past-lives';
import type { Life } from '../../../../src/contract/recorder.schema';
import { dieWithUs } from '../../../support/die-with-us';

const distDir = process.env.DIST_DIR ?? join(__dirname, '../../../../dist');

const running = new Set<RecordedProcess>();

/** A process of fixtures/recorded.cjs, which announces each record before it writes it. */
export class RecordedProcess {
  /** The number of the last record that was announced. */
  announcedCount = 0;
  errors = '';
  readonly ended: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    const release = dieWithUs(child.pid!);
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.lastIndexOf('\n');
      if (end < 0) return;
      this.announcedCount = Number(text.slice(0, end).split('\n').at(-1));
      text = text.slice(end + 1);
    });
    child.stderr!.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    // 'close': by then everything it wrote has been read.
    running.add(this);
    this.ended = once(child, 'close').finally(() => {
      running.delete(this);
      release();
    });
  }

  static start(directory: string, env: Record<string, string> = {}): RecordedProcess {
    return new RecordedProcess(
      spawn(process.execPath, [join(__dirname, '../fixtures/recorded.cjs')], {
        env: { PATH: process.env.PATH, DIST_DIR: distDir, EVIDENCE_DIR: directory, INSTANCE: 'spec', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** Kills those that still run: of a test that has failed. */
  static async killAll(): Promise<void> {
    await Promise.all([...running].map((child) => child.kill()));
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

export function directoryOf(path: string): EvidenceDirectory {
  return new EvidenceDirectory(path, 16 * 1_048_576);
}

export async function lifeFiles(path: string): Promise<EvidenceEntry[]> {
  return (await directoryOf(path).list()).filter(({ type }) => type === 'life');
}

/** What a new life of this instance would tell of those before it, latest first. */
export async function livesBefore(path: string, instance = 'spec'): Promise<Life[]> {
  const life = { id: 'new', instance, pid: process.pid, startedAt: Date.now(), identity: null };
  return (await new PastLives(life, directoryOf(path), undefined).read()).previous;
}
