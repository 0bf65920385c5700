import type { BuiltApp } from '../support/built-app.js';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const SCHEDULES_COUNT = 20;
const EVERY_MS = 500;
const RUN_MS = 12_000;

let service: Service;
beforeAll(async () => {
  service = await Service.start({ RUNS_KEPT_PER_SCHEDULE: '1000' }, { replicas: 3 });
});
afterAll(() => service.stop());

/**
 * Three commanders on one Redis, twenty schedules, while one of them is killed and another restarted: what the agents
 * executed and what the history says, tick by tick.
 */
it('three replicas fire every tick once while one is killed and another restarted', async () => {
  const [steady, victim, restarted] = service.replicas as [BuiltApp, BuiltApp, BuiltApp];
  const client = service.client({ requestTimeoutMs: 20_000 }, steady);
  const agents = await Promise.all(
    [1, 2, 3].map((number) => service.agent({ agentId: `agent-${number}`, capacity: 50 }, steady)),
  );
  const ids = Array.from({ length: SCHEDULES_COUNT }, (_, at) => `schedule-${at}`);
  // The declarations have to be there before the first tick.
  const startAt = Date.now() + 3_000;
  const endAt = startAt + RUN_MS - 1;
  const declare = () =>
    Promise.all(
      ids.map((id) =>
        client.schedules.upsert({ id, everyMs: EVERY_MS, startAt, endAt, job: { name: 'job' }, resultKey: id }),
      ),
    );
  await declare();

  await eventually(() => agents.some((agent) => agent.executeCount > 40), { timeoutMs: 15_000 });
  await victim.kill();
  await restarted.stop();
  await service.addReplica();
  // A service that declares its schedules at each boot disturbs nothing.
  await declare();
  await service.addReplica();

  await eventually(
    async () => {
      for (const id of ids) expect((await client.schedules.get({ id })).state).toBe('ended');
      expect(await service.redis.cli('zcard', '{commander}:due')).toBe('0');
    },
    { timeoutMs: 60_000, intervalMs: 250 },
  );

  const demanded = Array.from({ length: RUN_MS / EVERY_MS }, (_, at) => startAt + at * EVERY_MS);
  for (const id of ids) {
    const { items } = await client.runs.list({ scheduleId: id, limit: 500 });
    expect(items.map(({ tickAt }) => tickAt).sort()).toEqual(demanded);
    expect(new Set(items.map(({ state }) => state))).toEqual(new Set(['succeeded']));
    expect(await client.results.get({ key: id })).toMatchObject({ tickAt: demanded.at(-1), stale: false });
  }
  // A run may be executed again only if its replica died while it was under way; then under the same key, a later epoch.
  const executions = new Map<string, number[]>();
  for (const { runId, epoch } of agents.flatMap((agent) => agent.executed)) {
    executions.set(runId, [...(executions.get(runId) ?? []), epoch]);
  }
  expect(executions.size).toBe(SCHEDULES_COUNT * demanded.length);
  const repeated = [...executions.values()].filter((epochs) => epochs.length > 1);
  for (const epochs of repeated) expect(new Set(epochs).size).toBe(epochs.length);
  expect(repeated.length).toBeLessThanOrEqual(100);
}, 120_000);
