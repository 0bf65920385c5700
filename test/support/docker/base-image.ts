import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { DockerEngine } from './docker-engine.js';

const run = promisify(execFile);
const CHECKOUT = join(__dirname, '../../..');

/**
 * Makes a stand-in for the base image that the Dockerfile names, with its tag, without a registry of images: Debian from
 * debootstrap, the LTS Node from the npm registry, npm from this machine, a user `node`. Kept in `.cache/`; needs root.
 */
export async function importBaseImage(engine: DockerEngine, tag: string): Promise<void> {
  const release = /-(\w+)-slim$/.exec(tag)?.[1];
  if (release === undefined) throw new Error(`${tag}: expected node:<version>-<release of Debian>-slim`);
  const archive = join(CHECKOUT, '.cache', `base-image-${release}.tar`);
  if (!existsSync(archive)) await makeArchive(release, archive);
  // Where this machine reaches the npm registry through a CA of its own, so does the build.
  const authority = process.env.NODE_EXTRA_CA_CERTS;
  const changes = [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'ENTRYPOINT ["docker-entrypoint.sh"]',
    'CMD ["node"]',
    ...(authority === undefined ? [] : ['ENV NODE_EXTRA_CA_CERTS=/usr/local/share/extra-ca.pem']),
  ];
  await engine.docker('import', ...changes.flatMap((change) => ['--change', change]), archive, tag);
}

async function makeArchive(release: string, archive: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'commander-base-'));
  const root = join(work, 'root');
  const local = join(root, 'usr/local');
  try {
    await run('debootstrap', ['--variant=minbase', release, root], { maxBuffer: 64 * 2 ** 20 });
    await cp(join(await ltsNodeFolder(), 'node'), join(local, 'bin/node'));
    const { stdout: modules } = await run('npm', ['root', '-g']);
    await mkdir(join(local, 'lib/node_modules'), { recursive: true });
    await cp(join(modules.trim(), 'npm'), join(local, 'lib/node_modules/npm'), { recursive: true });
    for (const name of ['npm', 'npx'])
      await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
    // As the real one: it hands over to the command, which stays process 1.
    await writeFile(join(local, 'bin/docker-entrypoint.sh'), '#!/bin/sh\nset -e\nexec "$@"\n', { mode: 0o755 });
    await run('chroot', [
      root,
      'useradd',
      '--uid',
      '1000',
      '--user-group',
      '--create-home',
      '--shell',
      '/bin/sh',
      'node',
    ]);
    const authority = process.env.NODE_EXTRA_CA_CERTS;
    if (authority !== undefined) await cp(authority, join(local, 'share/extra-ca.pem'));
    for (const left of ['var/cache/apt/archives', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale']) {
      await rm(join(root, left), { recursive: true, force: true });
    }
    await mkdir(dirname(archive), { recursive: true });
    // Under its name only when it is whole.
    await run('tar', ['-C', root, '-cf', `${archive}.part`, '.']);
    await rename(`${archive}.part`, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function ltsNodeFolder(): Promise<string> {
  const file = join(CHECKOUT, 'scripts/lib/lts-node.mjs');
  const program = `import { ensureLtsNode } from ${JSON.stringify(file)}; console.log(await ensureLtsNode());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout.trim().split('\n').at(-1)!;
}
