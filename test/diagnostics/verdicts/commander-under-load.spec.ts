import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict, Verdicts } from '../../../src/contract/verdict.schema.js';
import { BuiltApp } from '../../support/built-app.js';
import { eventually } from '../../support/eventually.js';
import { httpGet } from '../../support/http-get.js';
import { MixedLoad } from '../../support/mixed-load.js';
import { RedisServer } from '../../support/redis-server.js';

const checkout = resolve(__dirname, '../../..');
const FIXTURE = join(__dirname, 'fixtures/commander-with-plant.cjs');
const PLANT_LINE =
  readFileSync(FIXTURE, 'utf8')
    .split('\n')
    .findIndex((line) => line.endsWith('// plant')) + 1;

/** `npm run verdicts:load` takes 30. */
const LOAD_MINUTES = Number(process.env.VERDICT_MINUTES ?? 1);
const LOOK_MS = 2_000;
const PLANTS_PER_SECOND = 2;
/** How long the plant may go unnoticed. */
const FOUND_WITHIN_MS = 180_000;

describe('the verdict on commander itself', () => {
  let redis: RedisServer;
  let app: BuiltApp;
  let load: MixedLoad | undefined;

  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await BuiltApp.start({ redisUrl: redis.url, entry: FIXTURE, env: { LOG_LEVEL: 'warn' } });
  });
  afterAll(async () => {
    await load?.stop();
    app.signal('SIGTERM');
    await app.exited;
    await redis.stop();
  });

  const leaking = async (): Promise<Verdict[]> =>
    (await httpGet(`${app.httpUrl}/diagnostics/verdicts?state=leaking`)).json<Verdicts>().verdicts;

  it(
    `is no alarm that stands under ${LOAD_MINUTES} min of mixed load, and the line of a leak planted then`,
    async () => {
      load = await MixedLoad.start({
        host: '127.0.0.1',
        port: app.tcpPort,
        get: (path) => httpGet(`${app.httpUrl}${path}`),
      });
      const alarms = new Map<string, string>();
      for (const endsMs = performance.now() + LOAD_MINUTES * 60_000; performance.now() < endsMs; await sleep(LOOK_MS)) {
        for (const { id, sentence } of await leaking()) alarms.set(id, sentence);
      }
      const standing = await leaking();
      expect(standing.map(({ sentence }) => sentence)).toEqual([]);
      const before = { ...load.counts, failures: load.counts.failures.length, total: load.total };

      const plantedMs = performance.now();
      const planting = new AbortController();
      const planted = plantUntil(planting.signal, app.httpUrl);
      let found: Verdict | undefined;
      try {
        await eventually(
          async () => {
            found = (await leaking()).find(({ site }) => site?.file.endsWith('commander-with-plant.cjs'));
            return found !== undefined;
          },
          { timeoutMs: FOUND_WITHIN_MS, intervalMs: 500, what: 'a verdict on the planted leak' },
        );
      } finally {
        planting.abort();
        await planted;
      }
      const foundAfterMs = performance.now() - plantedMs;
      expect(found).toMatchObject({ kind: 'ioredis.client', site: { line: PLANT_LINE }, precision: 'line' });
      expect(before.answered).toBeGreaterThan(100);
      if (process.env.VERDICT_WRITE) write({ ...before, alarms: [...alarms.values()], foundAfterMs, found: found! });
    },
    LOAD_MINUTES * 60_000 + FOUND_WITHIN_MS + 60_000,
  );
});

/** @returns how many were planted */
async function plantUntil(signal: AbortSignal, httpUrl: string): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    await httpGet(`${httpUrl}/plant`);
    count++;
    await sleep(1_000 / PLANTS_PER_SECOND);
  }
  return count;
}

interface Verification {
  answered: number;
  refusedRightly: number;
  failures: number;
  total: number;
  alarms: string[];
  foundAfterMs: number;
  found: Verdict;
}

function write({ answered, refusedRightly, failures, total, alarms, foundAfterMs, found }: Verification): void {
  const page = join(checkout, 'docs/verdicts.md');
  const text = [
    `Written by \`npm run verdicts:load\` on ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, the built service in a`,
    `process of its own: ${LOAD_MINUTES} min of mixed load, ${total.toLocaleString('en-US')} commands (${answered.toLocaleString('en-US')} answered, ${refusedRightly.toLocaleString('en-US')} refused as they had to be, ${failures} failed).`,
    '',
    `- Alarms during the load: ${alarms.length === 0 ? 'none' : alarms.join('; ')}. Standing at its end: none.`,
    `- Then ${PLANTS_PER_SECOND} leaks per second: told after ${Math.round(foundAfterMs / 1_000)} s as "${found.sentence}".`,
  ].join('\n');
  const marks = /<!-- verification -->[^]*<!-- end of verification -->/;
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(marks, () => `<!-- verification -->\n${text}\n<!-- end of verification -->`),
  );
}
