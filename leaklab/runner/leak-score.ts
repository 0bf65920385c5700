import type { Verdict } from '../../src/contract/verdict.schema.js';
import { scoreForecast } from './forecast-score.js';
import type { Look, Observation } from './observation.js';
import { type PlaceScore, scorePlace } from './place-score.js';
import type { Scenario } from './scenario.js';

/** What a detector made of a scenario that leaks. */
export interface LeakScore {
  /** Some verdict was `leaking` and none of its places wrong, or it named no place. */
  readonly detected: boolean;
  readonly place: PlaceScore;
  /** Sentence of the verdict that is scored. */
  readonly sentence: string | null;
  /** From the beginning of the load to the first verdict `leaking`. */
  readonly firstVerdictMs: number | null;
  /** To the first that names the place scored. */
  readonly namedMs: number | null;
  readonly leakedThen: number | null;
  /** As told, and as planted. */
  readonly perCommand: number | null;
  readonly perCommandPlanted: number | null;
  /** Median error of the time to the limit, as a share of the truth; null when none was told, or it cannot be known. */
  readonly etaError: number | null;
  /** Other places of the application called leaking at the end. */
  readonly wronglyBlamed: readonly string[];
}

/**
 * The verdict that is scored is the first in the order shown at the last look with any `leaking`: what a reader would go
 * and look at. One that names no place (a sum over the process) counts only when no other does.
 */
export function scoreLeak(scenario: Scenario, { looks, diedAtMs }: Observation): LeakScore {
  const plant = scenario.plant;
  if (!plant) throw new Error(`${scenario.id} is a control`);
  const first = looks.find((look) => leaking(look).length > 0);
  const last = looks.findLast((look) => leaking(look).length > 0);
  const blamed = last ? leaking(last) : [];
  const scored = blamed.find(({ site }) => site) ?? blamed[0];
  const place = scored ? scorePlace(scored.site, plant) : 'none';
  const named = looks.find((look) => leaking(look).some(({ site }) => scorePlace(site, plant) === place));
  return {
    detected: scored !== undefined && place !== 'wrong',
    place,
    sentence: scored?.sentence ?? null,
    firstVerdictMs: first?.atMs ?? null,
    namedMs: named?.atMs ?? null,
    leakedThen: first ? leakedAt(scenario, first) : null,
    perCommand: scored?.perCommand ?? null,
    perCommandPlanted: scenario.perCommand ?? null,
    etaError: scoreForecast(looks, diedAtMs),
    wronglyBlamed: blamed
      .filter(({ site }) => scorePlace(site, plant) === 'wrong')
      .map(({ kind, site }) => `${kind} ${site?.file}:${site?.line}`),
  };
}

export function leaking({ verdicts }: Look): Verdict[] {
  return verdicts.filter(({ state }) => state === 'leaking');
}

function leakedAt({ perCommand, perSecond }: Scenario, { commands, atMs }: Look): number | null {
  if (perCommand !== undefined) return Math.round(commands * perCommand);
  return perSecond === undefined ? null : Math.round((atMs / 1_000) * perSecond);
}
