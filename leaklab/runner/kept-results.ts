import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Observation } from './observation.js';
import type { PeerScores } from './page.js';
import { type PeerName, PEERS, type PeerScore } from './peer-run.js';
import type { Scenario } from './scenario.js';
import type { ScenarioResult } from './scenario-run.js';

/** One run as it is kept. */
export interface KeptRun {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Of the machine, over five minutes, at the end. */
  readonly loadAverage: number;
  readonly result: ScenarioResult;
  readonly observation: Observation;
}

/** The last result of each scenario and peer, one file each: everything takes an hour, and may be run in pieces. */
export class KeptResults {
  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true });
  }

  keep(run: KeptRun): void {
    this.write(run.result.scenario.id, run);
  }

  keepPeer(id: string, peer: PeerName, score: PeerScore): void {
    this.write(`${id}.peers`, { ...this.read<object>(`${id}.peers`), [peer]: score });
  }

  /** Undefined where it was never run. */
  result(id: string): KeptRun | undefined {
    return this.read<KeptRun>(id);
  }

  peers(scenarios: readonly Scenario[]): PeerScores {
    const scores = new Map<string, Map<PeerName, PeerScore>>();
    for (const { id } of scenarios) {
      const known = this.read<Partial<Record<PeerName, PeerScore>>>(`${id}.peers`);
      if (!known) continue;
      scores.set(
        id,
        new Map(
          PEERS.flatMap((peer) => {
            const score = known[peer];
            return score ? [[peer, score] as const] : [];
          }),
        ),
      );
    }
    return scores;
  }

  private write(name: string, content: unknown): void {
    writeFileSync(join(this.directory, `${name}.json`), JSON.stringify(content, null, 1));
  }

  private read<T>(name: string): T | undefined {
    const file = join(this.directory, `${name}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
  }
}
