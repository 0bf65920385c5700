import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerGroups } from '../../src/contract/ledger.schema.js';
import type { Verdicts } from '../../src/contract/verdict.schema.js';
import type { Look, Observation } from './observation.js';
import { usageOf } from './process-usage.js';
import type { Program } from './program.js';
import { RequestLoad } from './request-load.js';
import type { Load } from './scenario.js';

const LOOK_MS = 1_000;
const ANSWER_MS = 5_000;

/**
 * Puts a load on a program for so long, looks at it once a second, and never tells it what for.
 * @param withDetector whether there are diagnostics to ask
 */
export async function observe(
  program: Program,
  load: Load,
  seconds: number,
  withDetector: boolean,
): Promise<Observation> {
  const requests = new RequestLoad(program.port, load);
  const startedMs = performance.now();
  const cpuBefore = usageOf(program.pid)?.cpuMs ?? 0;
  const looks: Look[] = [];
  let cpuMs = 0;
  let ledger: LedgerGroups['ledger'] | null = null;
  try {
    while (requests.elapsedMs < seconds * 1_000 && program.endedMs === null) {
      await sleep(LOOK_MS);
      const usage = usageOf(program.pid);
      if (!usage) continue;
      cpuMs = usage.cpuMs - cpuBefore;
      const told = withDetector ? await ask<Verdicts>(program.diagnosticsPort, '/diagnostics/verdicts') : null;
      looks.push({
        atMs: Math.round(requests.elapsedMs),
        commands: requests.answered,
        rssBytes: usage.rssBytes,
        usedBytes: program.cgroup?.read().workingSetBytes ?? usage.rssBytes,
        fds: usage.fds,
        state: told?.state ?? null,
        heapBytes: told?.rss.heapBytes ?? null,
        verdicts: told?.verdicts.filter(({ state }) => state !== 'not-leaking') ?? [],
      });
    }
    if (withDetector && program.endedMs === null) {
      ledger = (await ask<LedgerGroups>(program.diagnosticsPort, '/diagnostics/groups?limit=1'))?.ledger ?? null;
    }
  } finally {
    requests.stop();
  }
  return {
    looks,
    diedAtMs: program.endedMs === null ? null : program.endedMs - startedMs,
    cpuMs,
    ledgerCpuMs: ledger && ledger.costMs.capture + ledger.costMs.tick,
    ledgerBytes: ledger?.memoryBytes ?? null,
    errors: requests.failed,
  };
}

/** Null when there is no answer in time: the process may be at its limit. */
function ask<T>(port: number, path: string): Promise<T | null> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path, headers: { accept: 'application/json' }, timeout: ANSWER_MS };
    const request = get(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        try {
          resolve(response.statusCode === 200 ? (JSON.parse(Buffer.concat(chunks).toString()) as T) : null);
        } catch {
          resolve(null);
        }
      });
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(null));
    request.once('close', () => resolve(null));
  });
}
