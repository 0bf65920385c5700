import { basename } from 'node:path';
import type { PeerName, PeerScore } from './peer-run.js';
import type { ScenarioResult } from './scenario-run.js';
import { targetsOf } from './targets.js';

export interface PageFacts {
  /** The command line that made it. */
  readonly command: string;
  readonly machine: string;
  readonly date: string;
}

/** Results of peers, by scenario. */
export type PeerScores = ReadonlyMap<string, ReadonlyMap<PeerName, PeerScore>>;

const INTRODUCTION = `# The leak lab

Labelled leaks and healthy controls, each a small program in \`leaklab/scenarios/\` with one line marked \`// plant\`, and a runner that
scores a detector on them. This page is written by the run.

\`\`\`sh
npm run leaklab                        # the quick half, ten minutes
npm run leaklab -- --all               # everything, and the peers: an hour and a half, two at a time
npm run leaklab -- --all --peers=none --width=6  # without them, six at a time: 17 min
npm run leaklab -- --all --peers=only  # nothing but the peers; --peers=NAME,NAME: these
npm run leaklab -- --compose           # writes this page from what was run last, scenario by scenario
npm run leaklab -- --scenarios=DIR     # another set, by the same rules
npm run leaklab -- 01 C3               # those whose names begin so
\`\`\`

Each scenario runs in a process of its own, with the detector preloaded and told nothing, under a real memory limit where the machine
lets us set one. The runner sends requests at the rate given, asks \`/diagnostics/verdicts\` once a second, and knows what leaks; the
detector does not. Time is never faked: a leak of months is made shorter by its rate.

## How it is scored

- **found**: some verdict says \`leaking\`, and the first of them in the order shown does not name a wrong file.
- **place**: that verdict's line is the planted one (*exact*), stands in the same function, in the same file, or elsewhere (*wrong*).
  A verdict about the process as a whole names no place (*none*) and counts only where no other is there.
- **first verdict**: seconds from the first request to the first \`leaking\`; **leaked then**: how many had leaked by that time.
- **per request**: leaked per request as told / as planted.
- **ETA error**: the median over all times to a limit that were told with \`leaking\`, against the death of the process where it died, else
  against what was left to that limit over the growth from then to the end of the run.
- **controls**: any \`leaking\` is an alarm; it stands when it is still there at the end.
- **peers**: the same place rule on all they print after 20 s of the same load (45 s for memory): how near the best place in it is,
  and how many lines there are to read. They tell of no time and give no verdict.

## How to add a scenario

A file in \`leaklab/scenarios/\` (\`.cjs\`, \`.mjs\`, or \`.ts\`, which is compiled with a source map). It begins with a comment in YAML; all
fields are in \`leaklab/runner/scenario.ts\`. One line ends with \`// plant\` (none in a control, class C). It serves HTTP on a port of its own
and prints \`listening <port>\`; each request to \`/\` is one unit of work. What it needs around it (\`needs: [redis, http, nest, mute, flap]\`) is
brought by the runner and named in \`REDIS_URL\`, \`PEER_URL\` (\`/small\`, \`/large\`), \`NEST_PORT\`, \`MUTE_PORT\` (reads, never answers) and
\`FLAPPING_REDIS_URL\`. Nothing in the detector may know a scenario: what it misses stays in the table as missed.
`;

const PEERS_TEXT = `The best place in what each prints, and the number of lines printed; each as it was run last, which may be before the rest of this
page. @pyroscope/nodejs has two ways. Pulled, its middleware starts the heap profiler, takes the profile at once and stops it: it
answers with one line about what is outside of JavaScript, and with 500 when the profiler runs already. Pushed, it profiles all the
time; what came last at a server of ours is scored.
`;

export function writePage(results: readonly ScenarioResult[], peers: PeerScores, facts: PageFacts): string {
  const leaks = results.filter(({ leak }) => leak);
  const controls = results.filter(({ control }) => control);
  return [
    INTRODUCTION,
    `## Results\n\n\`${facts.command}\`, ${facts.date}, ${facts.machine}\n`,
    table(
      ['target', 'met', 'found'],
      targetsOf(results).map(({ text, met, found }) => [text, met === null ? '–' : met ? 'yes' : '**no**', found]),
    ),
    '### Leaks\n',
    table(
      [
        'scenario',
        'class',
        'load',
        'found',
        'place',
        'first verdict',
        'leaked then',
        'per request',
        'ETA error',
        'also blamed',
      ],
      leaks.map(leakRow),
    ),
    '### Controls\n',
    table(['scenario', 'seconds', 'alarms', 'retracted', 'standing', 'what was said'], controls.map(controlRow)),
    '### Cost\n',
    'By the ledger’s own account during the run, and, where the scenario was run without it as well, against that.\n',
    table(
      [
        'scenario',
        'requests',
        'ledger, share of a core',
        'ledger, tables',
        'CPU per request against without',
        'memory against without',
      ],
      results.map(costRow),
    ),
    ...(peers.size > 0 ? peerSection(leaks, peers) : []),
  ].join('\n');
}

function leakRow({ scenario, leak, diedAtMs }: ScenarioResult): string[] {
  if (!leak) return [];
  return [
    `${nameOf(scenario)}${diedAtMs === null ? '' : ` (died at its limit after ${Math.round(diedAtMs / 1_000)} s)`}`,
    scenario.class,
    loadOf(scenario),
    leak.detected ? 'yes' : '**missed**',
    leak.place,
    secondsOf(leak.firstVerdictMs),
    leak.leakedThen === null ? '–' : String(leak.leakedThen),
    `${leak.perCommand?.toFixed(2) ?? '–'} / ${leak.perCommandPlanted?.toFixed(2) ?? '–'}`,
    leak.etaError === null ? '–' : `±${Math.round(leak.etaError * 100)} %`,
    leak.wronglyBlamed.join('; ') || '–',
  ];
}

function controlRow({ scenario, seconds, control }: ScenarioResult): string[] {
  if (!control) return [];
  const { alarms, retracted, standing, sentences } = control;
  return [
    nameOf(scenario),
    String(seconds),
    String(alarms),
    String(retracted),
    standing === 0 ? '0' : `**${standing}**`,
    sentences.map(plain).join('; ') || '–',
  ];
}

function costRow({ scenario, commands, ledgerShare, ledgerBytes, cost }: ScenarioResult): string[] {
  return [
    scenario.id,
    String(commands),
    ledgerShare === null ? '–' : `${(ledgerShare * 100).toFixed(2)} %`,
    ledgerBytes === null ? '–' : `${Math.round(ledgerBytes / 1_024)} KiB`,
    cost ? `×${cost.cpuRatio.toFixed(2)}` : '–',
    cost ? `${(cost.rssBytes / 2 ** 20).toFixed(1)} MiB` : '–',
  ];
}

function peerSection(leaks: readonly ScenarioResult[], peers: PeerScores): string[] {
  const names = [...new Set([...peers.values()].flatMap((scores) => [...scores.keys()]))];
  const rows = leaks
    .filter(({ scenario }) => peers.has(scenario.id))
    .map(({ scenario, leak }) => [
      scenario.id,
      leak?.place ?? '–',
      ...names.map((name) => {
        const score = peers.get(scenario.id)?.get(name);
        return score ? `${score.place} (${score.lines})` : '–';
      }),
    ]);
  return ['### Peers\n', PEERS_TEXT, table(['scenario', 'ours', ...names], rows)];
}

const nameOf = ({ id, title }: ScenarioResult['scenario']): string => `${basename(id)}: ${plain(title)}`;
const plain = (text: string): string => text.replaceAll('|', '/').replaceAll('\n', ' ');
const secondsOf = (ms: number | null): string => (ms === null ? '–' : `${(ms / 1_000).toFixed(0)} s`);

function loadOf({ load }: ScenarioResult['scenario']): string {
  if (!('rate' in load)) return `${load.shape} ${load.low}–${load.high}/s`;
  return load.rate >= 1 ? `${load.rate}/s` : `${Math.round(load.rate * 3_600)}/h`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}
