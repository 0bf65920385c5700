import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lives } from '../../src/contract/recorder.schema.js';
import type { Verdicts } from '../../src/contract/verdict.schema.js';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { renderKustomization } from '../support/manifests/manifests.js';
import { Pod } from '../support/pod/pod.js';
import { describeWithPods } from '../support/pod/pod-machine.js';
import { podSpec } from '../support/pod/pod-spec.js';
import { RedisServer } from '../support/redis-server.js';

const PRELOAD = 'leak-per-command.cjs';

describeWithPods('a pod that leaks', () => {
  it('says so with the line before the kernel kills it, and its next life says who killed it', async () => {
    const redis = await RedisServer.start();
    const spec = podSpec(renderKustomization(join(__dirname, '../../k8s/overlays/dev')));
    const NODE_OPTIONS = `${spec.env.NODE_OPTIONS} --require /tmp/${PRELOAD}`;
    const pod = Pod.create(spec, { env: { REDIS_URL: redis.url, NODE_OPTIONS } });
    // Before the container's shell has become node: the volume is the pod's.
    copyFileSync(join(__dirname, 'fixtures', PRELOAD), join(pod.volumeDirectory('tmp'), PRELOAD));
    const client = new CommanderClient({ host: pod.ip, port: spec.commandPort, token: pod.env.COMMANDER_TOKEN });
    try {
      await pod.ready();
      let verdict: Verdicts['verdicts'][number] | undefined;
      while (pod.restartCount === 0) {
        await client.system.stats({}).catch(() => undefined);
        if (verdict === undefined) {
          const answer = await pod.get('/diagnostics/verdicts').catch(() => undefined);
          if (answer?.status !== 200) continue;
          verdict = answer
            .json<Verdicts>()
            .verdicts.find(({ state, site }) => state === 'leaking' && site?.file.endsWith(PRELOAD));
        }
        // Some forty leaks a second: the kernel must not be quicker than a verdict can be.
        await sleep(20);
      }
      expect(verdict).toMatchObject({ kind: 'interval', state: 'leaking' });
      expect(pod.terminations[0]).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });

      await pod.ready();
      // The volume outlives the container, and with it the word of the life before.
      const { previous } = (await pod.get('/diagnostics/lives')).json<Lives>();
      const [before] = previous;
      expect(before).toMatchObject({ end: 'killed-near-limit', exitCode: null });
      const ofThePlant = expect.objectContaining({ file: expect.stringMatching(PRELOAD) });
      expect(before.verdicts).toContainEqual(
        expect.objectContaining({ kind: 'interval', state: 'leaking', site: ofThePlant }),
      );
      expect(before.evidence.length).toBeGreaterThan(0);
      const bundle = await pod.get(`/diagnostics/evidence/${before.evidence[0].name}`);
      expect(bundle).toMatchObject({ status: 200, text: expect.stringContaining(PRELOAD) });
    } finally {
      await client.close();
      await pod.delete();
      await redis.stop();
    }
  }, 600_000);
});
