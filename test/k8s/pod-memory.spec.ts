import { mkdtempSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NATIVE_BASELINE_BYTES } from '../../src/config/memory-budget.js';
import type { DiagnosticsSummary } from '../../src/contract/diagnostics.schema.js';
import { renderKustomization } from '../support/manifests/manifests.js';
import { MixedLoad } from '../support/mixed-load.js';
import { OWN_HEAP_BYTES } from '../support/manifests/memory.check.js';
import { MemoryMinutes, type OwnReading } from '../support/pod/memory-minutes.js';
import { Pod } from '../support/pod/pod.js';
import { describeWithPods } from '../support/pod/pod-machine.js';
import { podSpec } from '../support/pod/pod-spec.js';
import { RedisServer } from '../support/redis-server.js';

const MiB = 2 ** 20;
/** `POD_LOAD_SECONDS=600`: the long form. Below two minutes V8's heap has not found its level yet, so only bounds are judged. */
const LOAD_SECONDS = Number(process.env.POD_LOAD_SECONDS ?? 30);
const IS_LONG = LOAD_SECONDS >= 120;
/** Two thirds of the limit of overlay `small`: what the kernel cannot take back by dropping pages of files. */
const LARGEST_HELD_BYTES = 96 * MiB;
/** What of its files a pod may have dropped and read again after the first quarter: one that does so all the time reads as much in a second. */
const LARGEST_READ_AGAIN_BYTES = 512 * MiB;
/** How much the median of the last quarter may lie above that of the second: less than a leak of 1 KiB per command would add. */
const FLAT_BYTES = 4 * MiB;

describeWithPods('memory of a pod of overlay small under mixed load', () => {
  let redis: RedisServer;
  let directory: string;
  let nodeFile: string;

  beforeAll(async () => {
    redis = await RedisServer.start();
    directory = mkdtempSync(join(tmpdir(), 'commander-cold-node-'));
    nodeFile = join(directory, 'node');
    // Written past the page cache: the pod itself reads it, and is charged for it as on a node that has just pulled the image.
    execFileSync('dd', [`if=${process.execPath}`, `of=${nodeFile}`, 'bs=1M', 'oflag=direct'], { stdio: 'ignore' });
    execFileSync('chmod', ['755', nodeFile]);
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(directory, { recursive: true });
  });

  it(
    `stays below its bound and is flat over ${LOAD_SECONDS} s`,
    async () => {
      const spec = podSpec(renderKustomization(join(__dirname, '../../k8s/overlays/small')));
      const pod = Pod.create(spec, { env: { REDIS_URL: redis.url, LOG_LEVEL: 'warn' }, nodeFile });
      try {
        await pod.ready();
        const load = await MixedLoad.start({
          host: pod.ip,
          port: spec.commandPort,
          token: pod.env.COMMANDER_TOKEN,
          get: (path) => pod.get(path),
        });
        const minutes = new MemoryMinutes();
        let peakBytes = 0;
        try {
          for (const endsAt = Date.now() + LOAD_SECONDS * 1_000; Date.now() < endsAt; await sleep(1_000)) {
            const own = await ownReading(pod);
            const reading = pod.memory();
            minutes.add(reading, own, load.total);
            ({ peakBytes } = reading);
          }
        } catch (error) {
          throw new Error(`${String(error)}\n${minutes.table()}\n${pod.story()}`, { cause: error });
        } finally {
          await load.stop();
        }

        const { counts, total } = load;
        const inMiB = (bytes: number) => `${(bytes / MiB).toFixed(1)} MiB`;
        console.log(
          `Node ${process.version}, ${spec.env.NODE_OPTIONS}: ${total} commands in ${LOAD_SECONDS} s ` +
            `(${counts.refusedRightly} refused rightly)\n${minutes.table()}\n` +
            `limit ${inMiB(spec.memoryLimitBytes)}; held at most ${inMiB(minutes.largest('heldBytes'))}, ` +
            `allowed ${inMiB(LARGEST_HELD_BYTES)}; native at most ${inMiB(minutes.largest('nativeBytes'))}; ` +
            `working set at most ${inMiB(minutes.largest('workingSetBytes'))}, with idle pages of files ${inMiB(peakBytes)}`,
        );

        expect(counts.failures).toEqual([]);
        expect(counts.answered).toBeGreaterThan(LOAD_SECONDS * 3);
        expect(counts.refusedRightly).toBeGreaterThan(0);
        expect(pod.restartCount).toBe(0);
        expect(pod.events.map(({ what }) => what)).toEqual(['Started', 'Ready']);
        expect(minutes.largest('heldBytes')).toBeLessThan(LARGEST_HELD_BYTES);
        expect(minutes.largest('nativeBytes')).toBeLessThan(NATIVE_BASELINE_BYTES);
        expect(minutes.heapFloorBytes(3)).toBeLessThan(OWN_HEAP_BYTES);
        expect(minutes.readAgainBytes).toBeLessThan(LARGEST_READ_AGAIN_BYTES);
        const grown = minutes.ofQuarter(3, 'heldBytes') - minutes.ofQuarter(1, 'heldBytes');
        if (IS_LONG) expect(grown).toBeLessThan(FLAT_BYTES);
        expect(await pod.delete()).toMatchObject({ exitCode: 0 });
      } finally {
        await pod.delete();
      }
    },
    (LOAD_SECONDS + 120) * 1_000,
  );
});

async function ownReading(pod: Pod): Promise<OwnReading> {
  const { heap, memory } = (await pod.get('/diagnostics')).json<DiagnosticsSummary>();
  if ('error' in heap || 'error' in memory) throw new Error(JSON.stringify({ heap, memory }));
  return { heapUsedBytes: heap.usedBytes, heapPhysicalBytes: heap.physicalBytes, externalBytes: memory.externalBytes };
}
