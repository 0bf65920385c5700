import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start({}, { replicas: 2 });
});
afterAll(() => service.stop());

/** Connections to Redis without that of redis-cli itself. */
async function redisConnections(): Promise<string[]> {
  const list = await service.redis.cli('client', 'list');
  return list.split('\n').filter((line) => !/ cmd=client/.test(line));
}

it('holds two Redis sockets per replica, at rest and under load', async () => {
  await eventually(async () => expect(await redisConnections()).toHaveLength(4));
  await service.agent({ capacity: 1_000 });
  const clients = service.replicas.map((replica) => service.client({ requestTimeoutMs: 30_000 }, replica));
  await clients[0].schedules.upsert({ id: 'beside', everyMs: 100, job: { name: 'job' } });

  const seen = new Set<number>();
  let loading = true;
  const watch = (async () => {
    while (loading) seen.add((await redisConnections()).length);
  })();
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: 100 }, (_, payload) => client.jobs.submit({ job: { name: 'job', payload }, wait: true })),
      ),
    );
  }
  loading = false;
  await watch;
  expect([...seen]).toEqual([4]);
  expect((await redisConnections()).map((line) => / name=\{?(\w+)/.exec(line)?.[1])).toEqual(
    Array.from({ length: 4 }, () => 'commander'),
  );
});

it('opens one connection per agent however many runs there are, and closes those of agents that went', async () => {
  const namespace = 'many-runs';
  const client = service.client({ namespace, requestTimeoutMs: 60_000 });
  const join = (agentId: string) => service.agent({ agentId, capacity: 200 }, undefined, namespace);
  let agents = await Promise.all(['a', 'b', 'c'].map(join));
  const gone: typeof agents = [];
  const submitted = 10_000;
  let ended = 0;
  for (let round = 0; round < 20; round += 1) {
    const batch = Promise.all(
      Array.from({ length: submitted / 20 }, () => client.jobs.submit({ job: { name: 'job' }, wait: true })),
    );
    if (round % 4 === 3) {
      // One agent leaves with work under way (by its own word, or dying), another one comes under a new name.
      const leaving = agents.shift() as (typeof agents)[number];
      await (round % 8 === 3 ? leaving.leave() : leaving.die());
      gone.push(leaving);
      agents = [...agents, await join(`agent-${round}`)];
    }
    ended += (await batch).length;
  }
  expect(ended).toBe(submitted);
  await eventually(
    async () => {
      for (const agent of gone) expect(agent.openCount).toBe(0);
      for (const agent of agents) expect(agent.openCount).toBeLessThanOrEqual(service.replicas.length);
      const stats = await Promise.all(service.replicas.map((replica) => service.client({}, replica).system.stats({})));
      // The agent of the other test is still there.
      for (const { connections } of stats) expect(connections.agentCount).toBeLessThanOrEqual(agents.length + 1);
    },
    { timeoutMs: 30_000 },
  );
}, 180_000);
