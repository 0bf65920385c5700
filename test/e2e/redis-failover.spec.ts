import { setTimeout as sleep } from 'node:timers/promises';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { BuiltApp } from '../support/built-app.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { httpGet } from '../support/http-get.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisSentinelPair } from '../support/redis-sentinel-pair.js';

/** What stands behind commander, and how its master is lost. */
interface Topology {
  env: Record<string, string>;
  /** Resolves when all that was written by now would outlive the master. */
  replicated(): Promise<void>;
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 500;
/** Every key of commander has this hash tag, so all lie in the slot of one master. */
const A_KEY = '{commander}:due';

const topologies: [string, () => Promise<Topology>][] = [
  ['a Sentinel pair', () => RedisSentinelPair.start()],
  [
    'a Cluster of three masters with replicas',
    async () => {
      const cluster = await RedisCluster.start({ replicasPerMaster: 1 });
      return {
        env: cluster.env,
        replicated: () => cluster.replicatedKey(A_KEY),
        failOver: () => cluster.failOver(A_KEY),
        stop: () => cluster.stop(),
      };
    },
  ],
];

describe.each(topologies)('the whole service through a failover of %s', (_name, startTopology) => {
  const opened: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.stop();
  });
  const keep = <Thing extends { stop(): Promise<unknown> }>(thing: Thing): Thing => {
    opened.push(thing);
    return thing;
  };

  it('answers every command within its deadline, keeps what it acknowledged, and fires every due time', async () => {
    const topology = keep(await startTopology());
    const start = () => BuiltApp.start({ redisUrl: 'redis://unused', env: { ...topology.env, LOG_LEVEL: 'warn' } });
    const replicas = await Promise.all([start(), start()]);
    replicas.forEach(keep);
    const agent = keep(await TcpAgent.start({ capacity: 1_000, handler: ({ job }) => job.payload }));
    await agent.join({ port: replicas[0]!.tcpPort });
    const clients = replicas.map(({ tcpPort }) => new CommanderClient({ port: tcpPort }));
    for (const client of clients) keep({ stop: () => client.close() });
    const [client] = clients;
    await client!.schedules.upsert({ id: 'tick', everyMs: EVERY_MS, job: { name: 'job', payload: 'tick' } });

    let isRunning = true;
    const acknowledged: { payload: string; askedAt: number }[] = [];
    const refusals = new Set<string>();
    let slowestMs = 0;
    const callers = clients.map(async (caller, number) => {
      for (let round = 0; isRunning; round++) {
        const payload = `${number}-${round}`;
        const startedAt = performance.now();
        try {
          await caller.jobs.submit(
            { job: { name: 'job', payload }, idempotencyKey: payload, resultKey: payload },
            { deadlineMs: 2_000 },
          );
          acknowledged.push({ payload, askedAt: startedAt });
        } catch (error) {
          refusals.add((error as { code: string }).code);
        }
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
        await sleep(50);
      }
    });
    const ticks = () => agent.executed.filter(({ job }) => job.payload === 'tick').map(({ tickAt }) => tickAt!);
    await eventually(() => ticks().length >= 4 && acknowledged.length >= 20, { timeoutMs: 20_000 });

    // Replication is asynchronous: what was acknowledged in the last instant before the loss is nobody's to keep.
    const before = [...acknowledged];
    await topology.replicated();
    await topology.failOver();
    const failedOverAt = performance.now();
    const after = () => acknowledged.filter(({ askedAt }) => askedAt > failedOverAt);
    await eventually(
      async () => {
        for (const { httpUrl } of replicas) expect((await httpGet(`${httpUrl}/readyz`)).status).toBe(200);
      },
      { timeoutMs: 60_000, what: 'replicas that are ready again' },
    );
    await eventually(() => after().length > 20, { timeoutMs: 60_000 });
    isRunning = false;
    await Promise.all(callers);

    // No caller hung: an answer or a clear refusal, by the deadline (and the way back).
    expect([...refusals].filter((code) => code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED')).toEqual([]);
    expect(slowestMs).toBeLessThan(2_000 + 10_000);
    // What was acknowledged before is carried out, and so is all that was acknowledged after.
    const executed = () => new Set(agent.executed.map(({ job }) => job.payload));
    await eventually(() => [...before, ...after()].every(({ payload }) => executed().has(payload)), {
      timeoutMs: 60_000,
    });

    // Every due time of the outage is made up for.
    const countNow = ticks().length;
    await eventually(
      () => {
        expect(ticks().length).toBeGreaterThan(countNow + 4);
        // One may overtake another; one that was lost does not come any more.
        const due = [...new Set(ticks())].sort((one, other) => one - other);
        const gaps = due.slice(1).map((tickAt, index) => tickAt - due[index]!);
        expect(new Set(gaps)).toEqual(new Set([EVERY_MS]));
      },
      { timeoutMs: 30_000 },
    );
  }, 240_000);
});
