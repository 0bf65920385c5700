import { join } from 'node:path';
import { runnable } from './compiled-scenario.js';
import { type ControlScore, scoreControl } from './control-score.js';
import { type LeakScore, scoreLeak } from './leak-score.js';
import type { Observation } from './observation.js';
import { observe } from './observe.js';
import { Program } from './program.js';
import type { Scenario } from './scenario.js';
import { Surroundings } from './surroundings.js';

/** How long the run without the detector takes, at most. */
const BARE_SECONDS = 60;

/** What it costs to be watched. */
export interface Cost {
  /** CPU per answered request with the detector, over that without. */
  readonly cpuRatio: number;
  /** Resident memory with it, less that without, after as long. */
  readonly rssBytes: number;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly seconds: number;
  readonly leak: LeakScore | null;
  readonly control: ControlScore | null;
  readonly limited: boolean;
  readonly commands: number;
  /** Requests that failed, by the reason. */
  readonly errors: Readonly<Record<string, number>>;
  readonly diedAtMs: number | null;
  /** The ledger's own account: CPU as a share of one core, and bytes. */
  readonly ledgerShare: number | null;
  readonly ledgerBytes: number | null;
  readonly cost: Cost | null;
}

/**
 * Runs one scenario under the detector, in the same way for everything it might be, and scores it.
 * @param build directory of the built detector
 */
export async function runScenario(
  scenario: Scenario,
  seconds: number,
  checkout: string,
  build: string,
): Promise<{ result: ScenarioResult; observation: Observation }> {
  const surroundings = await Surroundings.start(scenario.needs);
  try {
    const { observation, limited } = await once(
      scenario,
      seconds,
      checkout,
      surroundings,
      join(build, 'diagnostics/register.js'),
    );
    const bareSeconds = Math.min(seconds, BARE_SECONDS);
    const bare = scenario.cost ? await once(scenario, bareSeconds, checkout, surroundings, null) : null;
    const { looks, ledgerCpuMs } = observation;
    const result: ScenarioResult = {
      scenario,
      seconds,
      leak: scenario.plant ? scoreLeak(scenario, observation) : null,
      control: scenario.plant ? null : scoreControl(observation),
      limited,
      commands: looks.at(-1)?.commands ?? 0,
      errors: observation.errors,
      diedAtMs: observation.diedAtMs,
      ledgerShare: ledgerCpuMs === null ? null : ledgerCpuMs / (looks.at(-1)?.atMs ?? 1),
      ledgerBytes: observation.ledgerBytes,
      cost: bare && costOf(observation, bare.observation),
    };
    return { result, observation };
  } finally {
    await surroundings.stop();
  }
}

async function once(
  scenario: Scenario,
  seconds: number,
  checkout: string,
  { env }: Surroundings,
  detector: string | null,
): Promise<{ observation: Observation; limited: boolean }> {
  const program = await Program.start({
    name: scenario.id,
    file: runnable(scenario.file, checkout),
    checkout,
    preload: detector === null ? [] : [detector],
    env,
    memoryBytes: scenario.memoryMiB * 2 ** 20,
    diagnostics: detector !== null,
  });
  try {
    return {
      observation: await observe(program, scenario.load, seconds, detector !== null),
      limited: program.cgroup !== null,
    };
  } finally {
    await program.stop();
  }
}

function costOf(watched: Observation, bare: Observation): Cost | null {
  const end = bare.looks.at(-1);
  const then = end && watched.looks.findLast(({ atMs }) => atMs <= end.atMs);
  const last = watched.looks.at(-1);
  if (!end || !then || !last || end.commands === 0) return null;
  return {
    cpuRatio: watched.cpuMs / last.commands / (bare.cpuMs / end.commands),
    rssBytes: then.rssBytes - end.rssBytes,
  };
}
