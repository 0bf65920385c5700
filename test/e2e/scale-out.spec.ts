import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const RUNS_PER_REPLICA = 100;
const SCHEDULES = 20;

/** `npm run bench -- scale-out` has the figures; here is what must hold for each of them to mean something. */
it.each([1, 2, 4])(
  '%i replicas on one Redis share runs and ticks, each run once, with two connections each',
  async (count) => {
    const service = await Service.start({}, { replicas: count });
    try {
      const connections = async () => {
        const list = await service.redis.cli('client', 'list');
        return list.split('\n').filter((line) => / name=\{?commander/.test(line)).length;
      };
      const agent = await service.agent({ capacity: 1_000 });
      const clients = service.replicas.map((replica) => service.client({ requestTimeoutMs: 30_000 }, replica));
      const stats = () => Promise.all(clients.map((client) => client.system.stats({})));
      await eventually(async () => {
        for (const { replicaCount } of await stats()) expect(replicaCount).toBe(count);
      });

      const ids = Array.from({ length: SCHEDULES }, (_, number) => `s-${number}`);
      await Promise.all(ids.map((id) => clients[0]!.schedules.upsert({ id, everyMs: 250, job: { name: 'job' } })));
      const submitted = await Promise.all(
        clients.flatMap((client) =>
          Array.from({ length: RUNS_PER_REPLICA }, () => client.jobs.submit({ job: { name: 'job' }, wait: true })),
        ),
      );
      expect(new Set(submitted.map(({ runId }) => runId)).size).toBe(count * RUNS_PER_REPLICA);
      const ticked = async () => (await stats()).reduce((sum, { lateness }) => sum + lateness.count, 0);
      await eventually(async () => expect(await ticked()).toBeGreaterThanOrEqual(2 * SCHEDULES));
      expect(await connections()).toBe(2 * count);

      await Promise.all(ids.map((id) => clients[0]!.schedules.remove({ id })));
      await eventually(async () => {
        const all = await stats();
        const dispatched = all.reduce((sum, { dispatch }) => sum + dispatch.totalCount, 0);
        // Whoever dispatched it, the agent got each run once.
        const executed = agent.executed.map(({ runId }) => runId);
        expect(dispatched).toBe(executed.length);
        expect(new Set(executed).size).toBe(executed.length);
        for (const { dispatch, queue, lateness } of all) {
          expect(dispatch).toMatchObject({ failedCount: 0 });
          expect(dispatch.totalCount).toBeGreaterThan(0);
          expect(queue).toMatchObject({ waitingCount: 0, activeCount: 0 });
          expect(lateness.p99Ms).toBeGreaterThanOrEqual(lateness.p50Ms);
        }
      });
    } finally {
      await service.stop();
    }
  },
  120_000,
);
