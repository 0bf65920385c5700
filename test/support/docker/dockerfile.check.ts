import { environmentOf, execForm, readDockerfile, stagesOf } from './dockerfile.js';

/** What an old, plain builder refuses, or what cannot be had without a registry that knows the digest. */
const REFUSED: [RegExp, string][] = [
  [/^#\s*syntax=/im, '# syntax= line'],
  [/^FROM\s+\S+@sha256:/im, 'digest in FROM'],
  [/<<-?['"]?\w+/, 'heredoc'],
  [/--link\b/, 'COPY --link'],
  [/--start-interval\b/, '--start-interval'],
  [/--mount=/, 'RUN --mount'],
];

/** What is wrong with a Dockerfile of commander whose Node has to be of the given major version. */
export function dockerfileCheck(text: string, nodeMajor: string): string[] {
  const stages = stagesOf(readDockerfile(text));
  const final = stages.at(-1) ?? [];
  const all = stages.flat();
  const last = (name: string) => final.filter((instruction) => instruction.name === name).at(-1)?.value;
  const found = REFUSED.filter(([pattern]) => pattern.test(text)).map(([, what]) => `a plain builder refuses: ${what}`);
  const expect = (fine: boolean, what: string) => {
    if (!fine) found.push(what);
  };

  expect(stages.length >= 2, 'one stage only');
  for (const [from] of stages) {
    const image = from!.value.split(/\s+/)[0]!;
    expect(
      image === `node:${nodeMajor}-bookworm-slim`,
      `base image ${image}, expected node:${nodeMajor}-bookworm-slim`,
    );
  }
  const installs = all.filter(({ name, value }) => name === 'RUN' && /\bnpm (ci|i|install)\b/.test(value));
  expect(
    installs.length > 0 && installs.every(({ value }) => /\bnpm ci\b/.test(value)),
    'dependencies do not come from the lock file',
  );
  expect(
    stages
      .slice(0, -1)
      .some((stage) => stage.some(({ name, value }) => name === 'RUN' && /\bnpm run build\b/.test(value))),
    'is not built by npm run build, so a step that it gains is missing here',
  );
  const pruned = stages
    .slice(0, -1)
    .some((stage) => stage.some(({ name, value }) => name === 'RUN' && /npm (prune|ci) .*--omit=dev/.test(value)));
  expect(pruned, 'development dependencies are not left out');
  expect(!final.some(({ name, value }) => name === 'RUN' && /\bnpm\b/.test(value)), 'the final stage runs npm');
  const copies = final.filter(({ name }) => name === 'COPY');
  expect(
    copies.length > 0 && copies.every(({ flags }) => flags.some((flag) => flag.startsWith('--from='))),
    'the final stage copies from the context',
  );
  expect(!all.some(({ name }) => name === 'ADD'), 'ADD may fetch and unpack');

  expect(last('USER') === 'node', 'does not run as node');
  const user = final.findIndex(({ name }) => name === 'USER');
  expect(
    final.slice(user).every(({ name }) => name !== 'RUN' && name !== 'COPY'),
    'files are made after USER',
  );
  expect(!final.some(({ name }) => name === 'ENTRYPOINT'), 'ENTRYPOINT stands before node');
  const command = execForm(last('CMD') ?? '');
  expect(command?.[0] === 'node' && command.at(-1) === 'dist/main.js', 'CMD is not node dist/main.js in exec form');
  const health = execForm(last('HEALTHCHECK') ?? '');
  expect(health?.[0] === 'node', 'HEALTHCHECK is not node in exec form');
  const labels = last('LABEL') ?? '';
  for (const label of ['title', 'description', 'licenses', 'version', 'revision']) {
    expect(labels.includes(`org.opencontainers.image.${label}=`), `no label ${label}`);
  }
  const environment = environmentOf(final);
  expect(/--max-old-space-size=\d+/.test(environment.NODE_OPTIONS ?? ''), 'the heap has no bound');
  for (const name of Object.keys(environment))
    expect(!/TOKEN|PASSWORD|INSECURE|REDIS_URL/.test(name), `the image sets ${name}`);
  return found;
}
