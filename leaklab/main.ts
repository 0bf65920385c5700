import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { type PeerScores, writePage } from './runner/page.js';
import { type PeerName, PEERS, type PeerScore, runPeer } from './runner/peer-run.js';
import { type ScenarioResult, runScenario } from './runner/scenario-run.js';
import { readScenarios, type Scenario } from './runner/scenario.js';
import { inTurns } from './runner/turns.js';

// `npm run leaklab`: runs the scenarios, two at a time, and writes docs/leaklab.md.
const checkout = resolve(__dirname, '..');
const flags = new Map(
  process.argv.slice(2).flatMap((argument) => {
    const [, name, value = 'true'] = /^--([a-z]+)(?:=(.*))?$/.exec(argument) ?? [];
    return name ? [[name, value] as const] : [];
  }),
);
const prefixes = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const known = ['all', 'scenarios', 'page', 'peers', 'width', 'seconds', 'build'];
for (const name of flags.keys()) {
  if (!known.includes(name)) throw new Error(`--${name}: there are ${known.map((each) => `--${each}`).join(', ')}`);
}

const isFull = flags.has('all');
const directory = flags.has('scenarios') ? resolve(flags.get('scenarios') ?? '') : join(__dirname, 'scenarios');
const build = resolve(flags.get('build') ?? join(checkout, 'dist'));
const width = Number(flags.get('width') ?? 2);

function secondsOf({ seconds }: Scenario): number {
  if (flags.has('seconds')) return Number(flags.get('seconds'));
  return isFull || prefixes.length > 0 ? seconds.all : (seconds.quick ?? 0);
}

const scenarios = readScenarios(directory).filter(
  (scenario) =>
    secondsOf(scenario) > 0 && (prefixes.length === 0 || prefixes.some((prefix) => scenario.id.startsWith(prefix))),
);

async function main(): Promise<void> {
  const logs = join(checkout, '.data/leaklab');
  mkdirSync(logs, { recursive: true });
  // The long ones first, so that none of them is alone at the end.
  const order = [...scenarios].sort((one, other) => secondsOf(other) - secondsOf(one));
  const results = new Map<string, ScenarioResult>();
  await inTurns(width, order, async (scenario) => {
    const run = await runScenario(scenario, secondsOf(scenario), checkout, build).catch((error: unknown) => {
      // The others are worth their score even so; the table lacks this one, and the run has failed.
      console.error(`${scenario.id} failed:`, error);
      process.exitCode = 1;
    });
    if (!run) return;
    const { result, observation } = run;
    results.set(scenario.id, result);
    writeFileSync(join(logs, `${scenario.id}.json`), JSON.stringify({ result, observation }, null, 1));
    say(scenario, result);
  });
  const peers = isFull || flags.has('peers') ? await runPeers() : new Map();
  const inOrder = scenarios.flatMap(({ id }) => results.get(id) ?? []);
  const page = writePage(inOrder, peers, {
    command: ['npm run leaklab', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: `Node ${process.version}, ${cpus().length} cores, ${width} at a time, load average ${Math.round(loadavg()[1])} at the end`,
    date: new Date().toISOString().slice(0, 10),
  });
  // Only a run of the public set as a whole is the page.
  const isPage = prefixes.length === 0 && !flags.has('scenarios') && !flags.has('seconds');
  const file = resolve(flags.get('page') ?? (isPage ? join(checkout, 'docs/leaklab.md') : join(logs, 'leaklab.md')));
  writeFileSync(file, page);
  console.log(`written: ${file}`);
}

async function runPeers(): Promise<PeerScores> {
  const scores = new Map<string, Map<PeerName, PeerScore>>();
  const pairs = scenarios
    .filter(({ plant, seconds }) => plant && seconds.all <= 300)
    .flatMap((scenario) => PEERS.map((peer) => ({ scenario, peer })));
  await inTurns(width, pairs, async ({ scenario, peer }) => {
    const score = await runPeer(peer, scenario, checkout);
    scores.set(scenario.id, (scores.get(scenario.id) ?? new Map<PeerName, PeerScore>()).set(peer, score));
    console.log(`${scenario.id}: ${peer}: ${score.place}, ${score.lines} lines`);
  });
  // In the order of the list, not of the ends.
  return new Map(
    [...scores].map(([id, ofOne]) => [
      id,
      new Map(PEERS.flatMap((peer) => (ofOne.has(peer) ? [[peer, ofOne.get(peer) as PeerScore] as const] : []))),
    ]),
  );
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
