import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readSettings } from '../../src/config/settings.js';
import { dockerfileCheck } from '../support/docker/dockerfile.check.js';
import { environmentOf, execForm, readDockerfile, stagesOf } from '../support/docker/dockerfile.js';
import { isIgnored } from '../support/docker/dockerignore.js';
import manifest from '../../package.json';

const ROOT = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const text = read('Dockerfile');
const stages = stagesOf(readDockerfile(text));
const final = stages.at(-1)!;
const nodeMajor = /LTS_NODE_VERSION = '(\d+)\./.exec(read('scripts/lib/lts-node.mjs'))![1]!;

describe('Dockerfile', () => {
  it('is what it has to be', () => {
    expect(dockerfileCheck(text, nodeMajor)).toEqual([]);
  });

  it('starts commander as npm start does', () => {
    const [, list] = /commanderNodeArguments = \[(.*)\]/.exec(read('scripts/lib/node-arguments.mjs'))!;
    const nodeArguments = list!.split(', ').map((argument) => argument.slice(1, -1));
    expect(nodeArguments.length).toBeGreaterThan(1);
    const command = execForm(final.filter(({ name }) => name === 'CMD').at(-1)!.value);
    expect(command).toEqual(['node', ...nodeArguments, 'dist/main.js']);
  });

  const replaced = (pattern: RegExp | string, by: string) => {
    const changed = text.replace(pattern, by);
    if (changed === text) throw new Error(`nothing to replace: ${String(pattern)}`);
    return changed;
  };
  it.each<[string, () => string, RegExp]>([
    ['a syntax line', () => `# syntax=docker/dockerfile:1\n${text}`, /# syntax=/],
    ['a digest', () => replaced(/-bookworm-slim\n/, '-bookworm-slim@sha256:0123\n'), /digest/],
    ['a heredoc', () => `${text}RUN <<EOF\ntrue\nEOF\n`, /heredoc/],
    ['COPY --link', () => replaced('COPY --from=build', 'COPY --link --from=build'), /COPY --link/],
    ['--start-interval', () => replaced('--timeout=5s', '--timeout=5s --start-interval=1s'), /--start-interval/],
    ['RUN --mount', () => replaced('RUN npm ci', 'RUN --mount=type=cache,target=/x npm ci'), /RUN --mount/],
    ['a single stage', () => text.slice(text.lastIndexOf('\nFROM')), /one stage only/],
    [
      'another Node',
      () => replaced(/FROM node:\d+-bookworm-slim\nARG/, 'FROM node:18-bookworm-slim\nARG'),
      /base image node:18/,
    ],
    ['npm install', () => replaced('npm ci', 'npm install'), /lock file/],
    ['a build of its own', () => replaced('npm run build', './node_modules/.bin/nest build'), /npm run build/],
    ['development dependencies', () => replaced('npm prune --omit=dev --ignore-scripts', 'true'), /not left out/],
    ['npm in the final stage', () => replaced('RUN install', 'RUN npm -v && install'), /final stage runs npm/],
    ['sources in the final stage', () => replaced('USER node', 'COPY . .\nUSER node'), /copies from the context/],
    ['ADD', () => replaced('COPY src ./src', 'ADD src ./src'), /ADD/],
    ['root', () => replaced('USER node\n', ''), /does not run as node/],
    ['files that node owns', () => replaced('USER node\n', 'USER node\nRUN true\n'), /after USER/],
    ['an entry point', () => replaced('USER node\n', 'USER node\nENTRYPOINT ["tini"]\n'), /ENTRYPOINT/],
    ['the shell form', () => replaced(/CMD \["node", "--enable.*/, 'CMD node dist/main.js'), /exec form/],
    ['no HEALTHCHECK', () => replaced(/^HEALTHCHECK.*\n/m, ''), /HEALTHCHECK/],
    ['a missing label', () => replaced('org.opencontainers.image.licenses', 'licenses'), /no label licenses/],
    ['an unbound heap', () => replaced(/--max-old-space-size=96 /, ''), /no bound/],
    [
      'a token in the image',
      () => replaced('NODE_ENV=production', 'NODE_ENV=production COMMANDER_TOKEN=x'),
      /sets COMMANDER_TOKEN/,
    ],
  ])('would be noticed with %s', (_title, damaged, finding) => {
    expect(dockerfileCheck(damaged(), nodeMajor).join('\n')).toMatch(finding);
  });

  it('labels the image with the version of the package', () => {
    expect(final.find(({ name, value }) => name === 'ARG' && value.startsWith('VERSION='))?.value).toBe(
      `VERSION=${manifest.version}`,
    );
  });

  it('listens on all addresses, and therefore not without tokens', () => {
    const environment = environmentOf(final);
    expect(() => readSettings(environment)).toThrow(/COMMANDER_TOKEN[^]*DIAGNOSTICS_TOKEN/);
    const started = readSettings({ ...environment, COMMANDER_TOKEN: 'one', DIAGNOSTICS_TOKEN: 'two' });
    expect([started.tcpHost, started.httpHost]).toEqual(['0.0.0.0', '0.0.0.0']);
    const exposed = final.find(({ name }) => name === 'EXPOSE')!.value;
    expect(exposed).toBe(`${started.tcpPort} ${started.httpPort}`);
  });

  it('copies only what exists and what .dockerignore lets in', () => {
    const ignore = read('.dockerignore');
    const sources = stages.flatMap((stage) => stage).filter(({ name, flags }) => name === 'COPY' && flags.length === 0);
    const paths = sources.flatMap(({ value }) => value.split(/\s+/).slice(0, -1));
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'src', 'scripts']));
    for (const path of paths) {
      expect({ path, ignored: isIgnored(ignore, path), isThere: existsSync(join(ROOT, path)) }).toEqual({
        path,
        ignored: false,
        isThere: true,
      });
    }
  });

  describe('HEALTHCHECK', () => {
    const [program, ...args] = execForm(final.find(({ name }) => name === 'HEALTHCHECK')!.value)!;
    let server: Server;
    let status = 200;
    const asked: string[] = [];

    beforeAll(async () => {
      server = createServer((request, response) => {
        asked.push(request.url!);
        response.writeHead(status).end();
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    });
    afterAll(() => new Promise((closed) => server.close(closed)));

    const exitCode = (port: number) =>
      new Promise<number>((exited) => {
        const child = execFile(program === 'node' ? process.execPath : program!, args, {
          env: { ...process.env, HTTP_PORT: String(port) },
        });
        child.once('exit', (code) => exited(code ?? -1));
      });
    const port = () => (server.address() as AddressInfo).port;

    it('is well while /livez answers 200', async () => {
      status = 200;
      await expect(exitCode(port())).resolves.toBe(0);
      expect(asked.at(-1)).toBe('/livez');
    });

    it('is ill when /livez answers 503', async () => {
      status = 503;
      await expect(exitCode(port())).resolves.toBe(1);
    });

    it('is ill when nobody listens', async () => {
      await expect(exitCode(1)).resolves.toBe(1);
    });
  });
});

describe('.dockerignore', () => {
  const ignore = read('.dockerignore');

  it.each([
    'node_modules/nest/index.js',
    '.data/redis/appendonly.aof',
    '.git/config',
    '.cache/x',
    'dist/main.js',
    'test/k8s/a.spec.ts',
    '.env',
    'k8s/base/x.yaml',
  ])('keeps %s out', (path) => {
    expect(isIgnored(ignore, path)).toBe(true);
    // Proof that it is the file that keeps it out.
    expect(isIgnored('', path)).toBe(false);
  });

  it.each(['package.json', 'package-lock.json', 'src/main.ts', 'src/redis/redis.module.ts'])('lets %s in', (path) => {
    expect(isIgnored(ignore, path)).toBe(false);
  });
});
