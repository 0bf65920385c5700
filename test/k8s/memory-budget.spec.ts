import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../src/config/settings.js';
import { environmentOf, readDockerfile, stagesOf } from '../support/docker/dockerfile.js';
import { commanderContainer, hasKubectl, renderKustomization } from '../support/manifests/manifests.js';
import { OWN_HEAP_BYTES } from '../support/manifests/memory.check.js';
import { flaggedBudget, type FlaggedBudget } from '../support/manifests/memory-budget.js';
import { podEnvironment, podSettings } from '../support/manifests/pod-settings.js';
import { quantity } from '../support/manifests/quantity.js';

const MiB = 2 ** 20;
const ROOT = join(__dirname, '../..');
const readme = readFileSync(join(ROOT, 'k8s/README.md'), 'utf8');
const itRendered = hasKubectl() ? it : it.skip;
if (!hasKubectl()) console.warn('SKIPPED: no kubectl on this machine, so the memory limits in k8s/ are not checked.');

/** Cells of the table rows between a heading row that starts with these words and the next empty line. */
function tableBelow(heading: string): string[][] {
  const from = readme.indexOf(`| ${heading} |`);
  if (from < 0) throw new Error(`no table starts with ${heading}`);
  const rows = readme.slice(from, readme.indexOf('\n\n', from)).split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replace(/[*`]/g, '').trim()),
  );
}

describe('memory arithmetic', () => {
  const partNames: Record<string, keyof FlaggedBudget> = {
    'old space': 'oldSpaceBytes',
    'young generation': 'youngBytes',
    connections: 'connectionsBytes',
    'results on their way': 'resultsBytes',
    'native baseline': 'nativeBytes',
    'heap profile': 'profileBytes',
    sum: 'sumBytes',
  };

  itRendered('of the README is that of the rendered pod', () => {
    const manifests = renderKustomization(join(ROOT, 'k8s/base'));
    const budget = flaggedBudget(podEnvironment(manifests).NODE_OPTIONS!, podSettings(manifests));
    const limit = commanderContainer(manifests).resources!.limits!.memory!;
    const written = new Map(tableBelow('part').map(([part, , mebibytes]) => [part!, Number(mebibytes)]));

    expect([...written.keys()]).toEqual([...Object.keys(partNames), 'limit']);
    for (const [part, key] of Object.entries(partNames))
      expect([part, written.get(part)]).toEqual([part, budget[key] / MiB]);
    expect(written.get('limit')).toBe(quantity(limit) / MiB);
    expect(budget.sumBytes).toBeLessThanOrEqual(quantity(limit));
  });

  it('of every other limit in the README adds up and fits, and its values are valid settings', () => {
    const rows = tableBelow('limit');
    expect(rows.length).toBeGreaterThanOrEqual(3);
    for (const [limit, old, semi, connections, frame, sendBuffer, runs, result, inFlight, sum] of rows) {
      const values = readSettings({
        MAX_CONNECTIONS: connections,
        MAX_FRAME_BYTES: frame,
        MAX_SEND_BUFFER_BYTES: sendBuffer,
        MAX_CONCURRENT_RUNS: runs,
        MAX_RESULT_BYTES: result,
        MAX_IN_FLIGHT_BYTES: inFlight,
      });
      const nodeOptions = `--max-old-space-size=${old} --max-semi-space-size=${semi}`;
      const { sumBytes, oldSpaceBytes } = flaggedBudget(nodeOptions, values);
      expect([limit, Number(sum)]).toEqual([limit, sumBytes / MiB]);
      expect(sumBytes).toBeLessThanOrEqual(quantity(limit!));
      expect(values.maxInFlightBytes + OWN_HEAP_BYTES).toBeLessThanOrEqual(oldSpaceBytes);
    }
  });

  it('of the defaults fits the heap that the image sets and a pod of 192Mi', () => {
    const { NODE_OPTIONS } = environmentOf(
      stagesOf(readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))).at(-1)!,
    );
    expect(flaggedBudget(NODE_OPTIONS!, readSettings({})).sumBytes).toBeLessThanOrEqual(quantity('192Mi'));
  });

  it('adds the young generation as V8 does', () => {
    const nodeOptions = '--max-old-space-size=96 --max-semi-space-size=4';
    const { oldSpaceBytes, youngBytes } = flaggedBudget(nodeOptions, readSettings({}));
    const limit = execFileSync(process.execPath, ['-p', 'v8.getHeapStatistics().heap_size_limit'], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: nodeOptions },
    });
    expect(Number(limit)).toBe(oldSpaceBytes + youngBytes);
  });
});
