import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { KeptResults, type KeptRun } from './runner/kept-results.js';
import { writePage } from './runner/page.js';
import { type PeerName, PEERS, runPeer } from './runner/peer-run.js';
import { type ScenarioResult, runScenario } from './runner/scenario-run.js';
import { readScenarios, type Scenario } from './runner/scenario.js';
import { inTurns } from './runner/turns.js';

// `npm run leaklab`: runs the scenarios, two at a time, and writes docs/leaklab.md.
const processStartedAt = Date.now();
const checkout = resolve(__dirname, '..');
const flags = new Map(
  process.argv.slice(2).flatMap((argument) => {
    const [, name, value = 'true'] = /^--([a-z]+)(?:=(.*))?$/.exec(argument) ?? [];
    return name ? [[name, value] as const] : [];
  }),
);
const prefixes = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const known = ['all', 'scenarios', 'page', 'peers', 'width', 'seconds', 'build', 'compose'];
for (const name of flags.keys()) {
  if (!known.includes(name)) throw new Error(`--${name}: there are ${known.map((each) => `--${each}`).join(', ')}`);
}

const isFull = flags.has('all');
const directory = flags.has('scenarios') ? resolve(flags.get('scenarios') ?? '') : join(__dirname, 'scenarios');
const build = resolve(flags.get('build') ?? join(checkout, 'dist'));
// `--peers`, `--peers=only`, `--peers=none`, `--peers=wtfnode,prom-client`: with everything they run as well.
const peers = flags.get('peers') ?? (isFull ? 'true' : 'none');
const onlyPeers = peersNamed(peers);
const width = Number(flags.get('width') ?? 2);

function secondsOf({ seconds }: Scenario): number {
  if (flags.has('seconds')) return Number(flags.get('seconds'));
  return isFull || prefixes.length > 0 ? seconds.all : (seconds.quick ?? 0);
}

function peersNamed(text: string): PeerName[] | null {
  if (['true', 'only', 'none'].includes(text)) return null;
  return text.split(',').map((name) => {
    const peer = PEERS.find((each) => each === name);
    if (!peer) throw new Error(`--peers=${name}: there are ${PEERS.join(', ')}`);
    return peer;
  });
}

const scenarios = readScenarios(directory).filter(
  (scenario) =>
    secondsOf(scenario) > 0 && (prefixes.length === 0 || prefixes.some((prefix) => scenario.id.startsWith(prefix))),
);

const kept = new KeptResults(join(checkout, '.data/leaklab'));

async function main(): Promise<void> {
  const isComposed = flags.has('compose');
  if (!isComposed && peers !== 'only' && !onlyPeers) await runScenarios();
  if (!isComposed && peers !== 'none') await runPeers();
  const results = scenarios.flatMap(({ id }) => kept.result(id) ?? []);
  const runs = results.filter(({ startedAt }) => isComposed || startedAt >= processStartedAt);
  const page = writePage(
    runs.map(({ result }) => result),
    isComposed || peers !== 'none' ? kept.peers(scenarios) : new Map(),
    {
      command: ['npm run leaklab', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
      machine: machineText(runs.map(({ loadAverage }) => loadAverage)) + (isComposed ? begunText(runs) : ''),
      date: new Date().toISOString().slice(0, 10),
    },
  );
  // Only a run of the public set as a whole is the page.
  const isPage =
    prefixes.length === 0 && !flags.has('scenarios') && !flags.has('seconds') && peers !== 'only' && !onlyPeers;
  const file = resolve(
    flags.get('page') ?? (isPage ? join(checkout, 'docs/leaklab.md') : join(kept.directory, 'leaklab.md')),
  );
  writeFileSync(file, page);
  console.log(`written: ${file}`);
}

function machineText(loadAverages: readonly number[]): string {
  const highest = Math.round(Math.max(0, ...loadAverages));
  return `Node ${process.version}, ${cpus().length} cores, ${width} at a time, load average up to ${highest}`;
}

/** Rows of a composed page were not run together. */
function begunText(runs: readonly KeptRun[]): string {
  const begun = runs.map(({ startedAt }) => startedAt);
  const minute = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (begun.length === 0) return '';
  return `; each row as it was run last, begun from ${minute(Math.min(...begun))} to ${minute(Math.max(...begun))}`;
}

async function runScenarios(): Promise<void> {
  // The long ones first, so that none of them is alone at the end.
  const order = [...scenarios].sort((one, other) => secondsOf(other) - secondsOf(one));
  await inTurns(width, order, async (scenario) => {
    const startedAt = Date.now();
    const run = await runScenario(scenario, secondsOf(scenario), checkout, build).catch((error: unknown) => {
      // The others are worth their score even so; the table lacks this one, and the run has failed.
      console.error(`${scenario.id} failed:`, error);
      process.exitCode = 1;
    });
    if (!run) return;
    kept.keep({ startedAt, loadAverage: loadavg()[1], ...run });
    say(scenario, run.result);
  });
}

async function runPeers(): Promise<void> {
  const pairs = scenarios
    .filter(({ plant, seconds }) => plant && seconds.all <= 300)
    .flatMap((scenario) => (onlyPeers ?? PEERS).map((peer) => ({ scenario, peer })));
  await inTurns(width, pairs, async ({ scenario, peer }) => {
    const score = await runPeer(peer, scenario, checkout);
    kept.keepPeer(scenario.id, peer, score);
    console.log(`${scenario.id}: ${peer}: ${score.place}, ${score.lines} lines`);
  });
}

function say({ id }: Scenario, { leak, control }: ScenarioResult): void {
  if (leak) {
    const { detected, place, firstVerdictMs, etaError, sentence } = leak;
    const at = firstVerdictMs === null ? '' : ` after ${Math.round(firstVerdictMs / 1_000)} s`;
    const eta = etaError === null ? '' : `, ETA ±${Math.round(etaError * 100)} %`;
    console.log(`${id}: ${detected ? 'found' : 'MISSED'}, ${place}${at}${eta}: ${sentence ?? 'nothing was said'}`);
  } else if (control) {
    const { alarms, standing, sentences } = control;
    console.log(`${id}: ${alarms} alarms, ${standing} standing${sentences.map((text) => `\n    ${text}`).join('')}`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
