import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runScenario } from '../../leaklab/runner/scenario-run';
import { readScenario } from '../../leaklab/runner/scenario';
import { eventually } from '../support/eventually';
import { isAlive } from '../support/is-alive';

const checkout = resolve(__dirname, '../..');
const RUN_MS = 150_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'leaklab-runs-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function written(text: string): string {
  const file = join(directory, 'made-up.cjs');
  writeFileSync(file, text);
  return file;
}

describe('a run', () => {
  /** Side by side: they wait most of the time, and what is being watched needs its time. */
  const started = new Map<string, ReturnType<typeof runScenario>>();
  const SECONDS = 60;
  beforeAll(() => {
    for (const name of ['06-channel-per-dispatch.cjs', '09-interval-request-scoped.ts', 'C4-square.cjs']) {
      const scenario = readScenario(join(checkout, 'leaklab/scenarios', name));
      const running = runScenario(scenario, SECONDS, checkout, join(checkout, 'dist'));
      // Its own test tells how it failed.
      running.catch(() => undefined);
      started.set(name, running);
    }
  });
  afterAll(() => Promise.allSettled(started.values()), RUN_MS);
  const ended = (name: string) => started.get(name)!;

  it(
    'finds a leak in a program that knows nothing of it, at its line',
    async () => {
      const { result, observation } = await ended('06-channel-per-dispatch.cjs');
      expect(result.leak).toMatchObject({ detected: true, place: 'exact', wronglyBlamed: [] });
      expect(result.commands).toBeGreaterThan(100);
      expect(observation.looks.at(-1)?.fds).toBeGreaterThan(observation.looks[0].fds);
    },
    RUN_MS,
  );

  it(
    'names the line of the TypeScript source of a Nest app that was compiled',
    async () => {
      const { result } = await ended('09-interval-request-scoped.ts');
      expect(result.leak).toMatchObject({ detected: true, place: 'exact' });
    },
    RUN_MS,
  );

  it(
    'of a healthy program raises no alarm that stands',
    async () => {
      const { result } = await ended('C4-square.cjs');
      expect(result.control).toMatchObject({ standing: 0 });
      expect(result.errors).toEqual({});
    },
    RUN_MS,
  );

  it(
    'leaves no process behind, whatever the program started',
    async () => {
      const file = written(
        `/* leaklab\nrow: 1\nclass: H\ntitle: t\nread: r\nload: { rate: 5 }\nseconds: { all: 5 }\n*/
const { spawn } = require('node:child_process');
const { createServer } = require('node:http');
const { appendFileSync } = require('node:fs');
const server = createServer((request, response) => {
  appendFileSync(${JSON.stringify(join(directory, 'pids'))}, spawn('sleep', ['600']).pid + ' '); // plant
  response.end();
}).listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port));
`,
      );
      const { result } = await runScenario(readScenario(file), 5, checkout, join(checkout, 'dist'));
      expect(result.commands).toBeGreaterThan(0);
      const pids = readFileSync(join(directory, 'pids'), 'utf8').trim().split(' ').map(Number);
      expect(pids.length).toBeGreaterThan(0);
      await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
    },
    RUN_MS,
  );
});
