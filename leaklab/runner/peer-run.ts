import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.js';
import { runnable } from './compiled-scenario.js';
import { type PlaceScore, scoreText } from './place-score.js';
import { Program } from './program.js';
import { RequestLoad } from './request-load.js';
import type { Scenario } from './scenario.js';
import { Surroundings } from './surroundings.js';

export const PEERS = [
  'why-is-node-running',
  'wtfnode',
  'async_hooks',
  'prom-client',
  'process.report',
  '@datadog/pprof',
  '@pyroscope/nodejs pull',
  '@pyroscope/nodejs push',
] as const;
export type PeerName = (typeof PEERS)[number];

/** A report may take long: `process.report` has looked names up for half a minute. */
const REPORT_MS = 60_000;
/** Enough for some ten leaked at one per second. */
const SECONDS = 20;
/** What a profiler needs to see something. */
const MEMORY_SECONDS = 45;

export interface PeerScore {
  readonly place: PlaceScore | 'no report';
  /** Lines a reader would have to read. */
  readonly lines: number;
}

/** Runs a scenario under one other tool, and scores what it prints by the rule that ours is scored by. */
export async function runPeer(peer: PeerName, scenario: Scenario, checkout: string): Promise<PeerScore> {
  if (!scenario.plant) throw new Error(`${scenario.id} is a control`);
  const surroundings = await Surroundings.start(scenario.needs);
  const directory = mkdtempSync(join(tmpdir(), 'leaklab-peer-'));
  const report = join(directory, 'report');
  let program: Program | undefined;
  let load: RequestLoad | undefined;
  try {
    program = await Program.start({
      name: `${scenario.id}-peer`,
      file: runnable(scenario.file, checkout),
      checkout,
      preload: [join(checkout, 'leaklab/peers/preload.cjs')],
      env: { ...surroundings.env, PEER: peer, PEER_REPORT: report },
      memoryBytes: scenario.memoryMiB * 2 ** 20 * 2,
      diagnostics: false,
    });
    load = new RequestLoad(program.port, scenario.load);
    await sleep((scenario.class === 'M' ? MEMORY_SECONDS : SECONDS) * 1_000);
    program.signal('SIGHUP');
    await eventually(() => existsSync(report) && readFileSync(report, 'utf8') !== '', { timeoutMs: REPORT_MS });
    const text = readFileSync(report, 'utf8');
    if (text.startsWith('failed: ')) return { place: 'no report', lines: 0 };
    return { place: scoreText(text, scenario.plant), lines: text.split('\n').length };
  } catch {
    return { place: 'no report', lines: 0 };
  } finally {
    load?.stop();
    await program?.stop();
    await surroundings.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
