import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithUs } from '../../support/die-with-us';
import { MemoryCgroup } from '../../support/pod/memory-cgroup';
import { livesBefore } from './support/recorded-process';

const distDir = join(__dirname, '../../../dist');
const fixture = join(__dirname, 'fixtures/leaking.cjs');
const plantLine =
  readFileSync(fixture, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('// plant')) + 1;

function cgroup(): MemoryCgroup | null {
  try {
    return MemoryCgroup.create('evidence', 200 * 1_048_576);
  } catch (error) {
    console.warn(`SKIPPED: no memory cgroup here (${String(error)}), so nothing is killed at a limit.`);
    return null;
  }
}

const group = cgroup();

describe('a process that leaks until the kernel kills it', () => {
  const path = mkdtempSync(join(tmpdir(), 'evidence-spec-'));
  afterAll(async () => {
    rmSync(path, { recursive: true, force: true });
    await group?.remove();
  });

  (group === null ? it.skip : it)(
    'leaves evidence that names the line, and the next life tells of it',
    async () => {
      const command = [process.execPath, '--require', join(distDir, 'ledger/register.js'), fixture];
      // In its group from the first instruction on, so that Node reads the limit.
      const child = spawn('sh', ['-c', `echo $$ > ${group!.directory}/cgroup.procs; exec "$@"`, 'sh', ...command], {
        env: { PATH: process.env.PATH, DIST_DIR: distDir, EVIDENCE_DIR: path },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const release = dieWithUs(child.pid!);
      let errors = '';
      child.stderr.on('data', (chunk) => (errors += String(chunk)));
      const [, signal] = await once(child, 'close');
      release();
      expect(signal).toBe('SIGKILL');
      expect(group!.oomKills()).toBe(1);
      expect(errors).toContain('memory is close to the memory limit');

      const bundles = readdirSync(path).filter((name) => name.endsWith('.evidence'));
      expect(bundles.length).toBeGreaterThanOrEqual(1);
      const bundle = JSON.parse(readFileSync(join(path, bundles.sort()[0]!), 'utf8'));
      const leak = bundle.groups.find((candidate: { kind: string }) => candidate.kind === 'socket.client');
      expect(leak.site).toMatchObject({ file: expect.stringMatching(/leaking\.cjs$/), line: plantLine });
      expect(bundle.history.length).toBeGreaterThan(2);
      expect(bundle.pressure).toMatchObject({ limit: 'memory limit', limitBytes: 200 * 1_048_576 });

      const [life] = await livesBefore(path);
      expect(life).toMatchObject({ end: 'killed-near-limit', exitCode: null });
      expect(life!.evidence.map(({ name }) => name)).toEqual(bundles.sort());
      // A socket may be meant to stay: within a minute its growth is told, and memory is what is judged.
      expect(life!.lastSample!.growing).toContainEqual(
        expect.objectContaining({ kind: 'socket.client', site: expect.objectContaining({ line: plantLine }) }),
      );
      // As the line of the Buffers, once it accounts for the sum; before that as the sum.
      expect(['buffer', 'memory.external']).toEqual(
        expect.arrayContaining([
          life!.verdicts.map(({ kind }) => kind).find((kind) => /^(buffer|memory\.external)$/.test(kind)),
        ]),
      );
    },
    120_000,
  );
});
