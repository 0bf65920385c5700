import { type ChildProcess, execFile, fork, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { dieWithUs } from '../../support/die-with-us';

const checkout = join(__dirname, '../../..');
const fixtures = join(__dirname, '../fixtures/shop');

export type ModuleFormat = 'commonjs' | 'module';

/** The package, packed from the build that is there. */
export async function packedTarball(into: string): Promise<string> {
  const script = `import(${JSON.stringify(join(checkout, 'scripts/lib/package-tarball.mjs'))})
    .then(({ packTarball }) => process.stdout.write(packTarball(${JSON.stringify(into)})))`;
  return (await promisify(execFile)(process.execPath, ['-e', script])).stdout;
}

/** What a program of the project said first, and how to end it. */
export interface Running {
  message: { port?: number; refused?: string };
  /** Asks it to close. @returns its exit code, once it has ended by itself */
  close(): Promise<number | null>;
}

/** A project of somebody else in a directory of its own, with what it installs from the registry. */
export class ForeignProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'commander-foreign-'));
  private readonly running = new Set<ChildProcess>();

  /** Installs `dependencies` and nothing besides. Rejects with what npm says. */
  async install(dependencies: Record<string, string>): Promise<void> {
    const manifest = { name: 'foreign', version: '1.0.0', private: true, dependencies };
    writeFileSync(join(this.directory, 'package.json'), JSON.stringify(manifest));
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
      cwd: this.directory,
      timeout: 240_000,
    });
  }

  /** A library of one file, which npm was not asked for. Call it after `install`. */
  addLibrary(name: string, text: string, types: string): void {
    const directory = join(this.directory, 'node_modules', name);
    mkdirSync(directory);
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, version: '1.0.0', types: 'index.d.ts' }));
    writeFileSync(join(directory, 'index.js'), text);
    writeFileSync(join(directory, 'index.d.ts'), types);
  }

  has(...path: string[]): boolean {
    return existsSync(join(this.directory, 'node_modules', ...path));
  }

  versionOf(name: string): string {
    const manifest = join(this.directory, 'node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
  }

  /** Compiles the shop as that format below `<format>/`. @returns the compiled main file */
  compile(format: ModuleFormat): string {
    const root = join(this.directory, format);
    for (const folder of ['src', 'dist']) mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: `shop-${format}`, type: format }));
    for (const name of readdirSync(fixtures)) {
      const text = readFileSync(join(fixtures, name), 'utf8');
      writeFileSync(join(root, 'src', name), text);
      const { outputText, sourceMapText } = ts.transpileModule(text, {
        fileName: `../src/${name}`,
        compilerOptions: {
          module: format === 'module' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
          target: ts.ScriptTarget.ES2022,
          esModuleInterop: true,
          experimentalDecorators: true,
          emitDecoratorMetadata: true,
          sourceMap: true,
        },
      });
      const output = join(root, 'dist', name.replace(/\.ts$/, '.js'));
      writeFileSync(output, outputText.replace(/(sourceMappingURL=).*/, `$1${basename(output)}.map`));
      writeFileSync(`${output}.map`, sourceMapText!.replace(`"sources":["${name}"]`, `"sources":["../src/${name}"]`));
    }
    return join(root, 'dist/main.js');
  }

  /** What the compiler says of all compiled sources against the types that are installed; empty when nothing. */
  typeErrors(): string {
    const config = {
      compilerOptions: {
        module: 'nodenext',
        target: 'es2022',
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        types: ['node'],
        typeRoots: [join(checkout, 'node_modules/@types')],
      },
      include: ['*/src'],
      exclude: ['node_modules'],
    };
    writeFileSync(join(this.directory, 'tsconfig.json'), JSON.stringify(config));
    const compiler = join(checkout, 'node_modules/typescript/bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', this.directory], { encoding: 'utf8' });
    return status === 0 ? '' : stdout || `the compiler ended with ${status}`;
  }

  /** Runs a compiled main file with the installed package preloaded, until its first message. */
  async run(main: string, preload: '--require' | '--import', env: Record<string, string>): Promise<Running> {
    const child = fork(main, {
      cwd: this.directory,
      execArgv: ['--no-warnings', preload, 'mu-commander/register'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const release = dieWithUs(child.pid!);
    this.running.add(child);
    const exited = new Promise<number | null>((resolve) =>
      child.once('exit', (code) => {
        this.running.delete(child);
        release();
        resolve(code);
      }),
    );
    const message = await new Promise<Running['message']>((resolve, reject) => {
      child.once('message', (said) => resolve(said as Running['message']));
      child.once('exit', (code, signal) =>
        reject(new Error(`${main} ended with ${code ?? signal} before it said anything`)),
      );
    });
    return {
      message,
      close: () => {
        child.send('close');
        return exited;
      },
    };
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, file), text);
  }

  /** Runs the project's own jest on all of its tests. @returns its exit code, and what it said */
  jest(): Promise<{ code: number | null; text: string }> {
    const args = [join(this.directory, 'node_modules/jest/bin/jest.js'), '--runInBand'];
    const options = { cwd: this.directory, timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '' } };
    return new Promise((resolve) => {
      const child = execFile(process.execPath, args, options, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, text: stdout + stderr }),
      );
    });
  }

  /** Runs a short program of the project. @returns what it prints */
  async output(file: string, text: string, preload: string[] = []): Promise<string> {
    this.write(file, text);
    const options = { cwd: this.directory, timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '' } };
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', ...preload, file], options);
    return stdout;
  }

  /** Kills what a failed test left running. */
  remove(): void {
    for (const child of this.running) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
