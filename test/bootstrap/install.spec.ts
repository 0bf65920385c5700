import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const checkout = join(__dirname, '../..');

/** A checkout whose only dependency is a tarball beside it, so that npm ci needs no network. */
describe('installation of dependencies', () => {
  const dir = mkdtempSync(join(tmpdir(), 'commander-install-'));
  const path = (...parts: string[]): string => join(dir, ...parts);
  const env = { ...process.env, npm_config_cache: path('npm-cache'), npm_config_update_notifier: 'false' };

  beforeAll(() => {
    cpSync(join(checkout, 'scripts'), path('scripts'), { recursive: true });
    depend('1.0.0');
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** Makes `dep` of this version the dependency, with the lock file that belongs to it, and installs nothing. */
  function depend(version: string): void {
    mkdirSync(path('dep'), { recursive: true });
    writeFileSync(path('dep/package.json'), JSON.stringify({ name: 'dep', version }));
    execFileSync('npm', ['pack', '--silent', '--pack-destination', dir, path('dep')], { env, stdio: 'ignore' });
    const manifest = { name: 'copy', version: '1.0.0', devDependencies: { dep: `file:dep-${version}.tgz` } };
    writeFileSync(path('package.json'), JSON.stringify(manifest));
    execFileSync('npm', ['install', '--package-lock-only', '--silent', '--no-audit'], {
      cwd: dir,
      env,
      stdio: 'ignore',
    });
  }

  function ensureInstalled(extra: NodeJS.ProcessEnv = {}): { status: number | null; output: string } {
    const script = `import(${JSON.stringify(path('scripts/lib/failure.mjs'))}).then(({ runMain }) => runMain(async () => {
      const { ensureInstalled } = await import(${JSON.stringify(path('scripts/lib/install.mjs'))});
      await ensureInstalled();
    }))`;
    const { npm_execpath: _npm, ...surroundings }: NodeJS.ProcessEnv = env;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      env: { ...surroundings, ...extra },
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }

  const installedVersion = (): string =>
    JSON.parse(readFileSync(path('node_modules/dep/package.json'), 'utf8')).version;

  it('runs npm ci in a fresh clone, with development dependencies even under NODE_ENV=production', () => {
    const { status, output } = ensureInstalled({ NODE_ENV: 'production' });
    expect(output).toContain('npm ci');
    expect(status).toBe(0);
    expect(installedVersion()).toBe('1.0.0');
  });

  it('does nothing the second time', () => {
    const before = statSync(path('node_modules/dep')).ino;
    expect(ensureInstalled()).toEqual({ status: 0, output: '' });
    expect(statSync(path('node_modules/dep')).ino).toBe(before);
  });

  it('runs npm ci again when the lock file changed', () => {
    depend('1.1.0');
    expect(installedVersion()).toBe('1.0.0');
    expect(ensureInstalled().output).toContain('npm ci');
    expect(installedVersion()).toBe('1.1.0');
  });

  it('accepts what a person installed by hand', () => {
    depend('1.2.0');
    execFileSync('npm', ['ci', '--silent', '--no-audit'], { cwd: dir, env, stdio: 'ignore' });
    expect(ensureInstalled()).toEqual({ status: 0, output: '' });
    expect(installedVersion()).toBe('1.2.0');
  });

  it('repairs an installation that is gone, lost a package, or broke off', () => {
    for (const lost of ['node_modules', 'node_modules/dep', 'node_modules/.package-lock.json']) {
      rmSync(path('node_modules/.commander-install'));
      rmSync(path(lost), { recursive: true });
      expect(ensureInstalled().output).toContain('npm ci');
      expect(installedVersion()).toBe('1.2.0');
    }
  });

  it('says what npm needs when it fails, and tries again the next time', () => {
    const lockFile = readFileSync(path('package-lock.json'), 'utf8');
    rmSync(path('dep-1.2.0.tgz'));
    rmSync(path('node_modules'), { recursive: true });
    rmSync(path('npm-cache'), { recursive: true });
    const { status, output } = ensureInstalled();
    expect(status).toBe(1);
    expect(output).toMatch(/npm ci failed.*registry/);
    expect(output).not.toMatch(/\n\s+at /);
    depend('1.2.0');
    expect(readFileSync(path('package-lock.json'), 'utf8')).toBe(lockFile);
    expect(ensureInstalled().status).toBe(0);
    expect(existsSync(path('node_modules/.commander-install'))).toBe(true);
  });

  it.each([
    ['20.18.3', 1],
    ['18.20.0', 1],
    ['20.19.0', 0],
    ['24.0.0', 0],
  ])('Node %s ends with exit code %i when 20.19 is asked for', (version, code) => {
    writeFileSync(path('package.json'), JSON.stringify({ engines: { node: '>=20.19' } }));
    const script = `import(${JSON.stringify(path('scripts/lib/failure.mjs'))}).then(({ runMain }) => runMain(async () => {
      (await import(${JSON.stringify(path('scripts/lib/node-version.mjs'))})).assertNodeVersion('${version}');
    }))`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(status).toBe(code);
    if (code === 1) expect(stderr).toBe(`commander: this is Node ${version}; Node 20.19 or newer is needed\n`);
  });
});
