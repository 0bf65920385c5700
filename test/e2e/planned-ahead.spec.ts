import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { AgentExecuteRequest } from '../../src/contract/agent.schema.js';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

/** More than are planned one by one when they are due. */
const COUNT = 20;
const EVERY_MS = 3_600_000;
/** A scene takes a quarter of a second of commands: on a busy machine many of them are too late. */
const SCENES = 15;
const ids = Array.from({ length: COUNT }, (_, index) => `s-${index}`);

let service: Service;
/** Open all the time: a `redis-cli` that has to start takes as long as there is between planning and due. */
let redis: Redis;
beforeAll(async () => {
  service = await Service.start({ RECONCILE_EVERY_MS: '600000' }, { replicas: 2 });
  redis = new Redis(service.redis.port);
});
afterAll(async () => {
  redis?.disconnect();
  await service.stop();
});

async function setting(namespace: string) {
  const client = service.client({ namespace });
  const other = service.client({ namespace }, service.replicas[1]);
  const executed: AgentExecuteRequest[] = [];
  const handler = (request: AgentExecuteRequest) => {
    executed.push(request);
    return 'ok';
  };
  const agent = await service.agent({ agentId: `agent-of-${namespace}`, capacity: 200, handler }, undefined, namespace);
  const declare = (dueAt: number, payload: string) =>
    Promise.all(
      ids.map((id) =>
        client.schedules.upsert({ id, everyMs: EVERY_MS, startAt: dueAt, job: { name: 'job', payload } }),
      ),
    );
  const forgetAll = () => Promise.all(ids.map((id) => client.schedules.remove({ id })));
  /** Of one scene: runs of the one before, which was too late, may come yet. */
  const executedOf = (dueAt: number) => executed.filter(({ tickAt }) => tickAt === dueAt);
  return { client, other, agent, executedOf, declare, forgetAll };
}

/** Hashes that were read: by nobody but those who plan ticks, while nothing is declared or asked for. */
async function readCount(): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

/**
 * Repeats a scene that has to be over at an instant, until it is.
 * @param scene resolves to false when it came too late
 */
async function inTime(scene: (dueAt: number) => Promise<boolean>): Promise<void> {
  for (let attempt = 1; attempt <= SCENES; attempt += 1) {
    if (await scene(Date.now() + Math.min(2_000 * attempt, 6_000))) return;
  }
  throw new Error(`${SCENES} scenes came too late: the machine is too slow for this test`);
}

it('a crowd is read and planned before it is due, and each tick is fired once, by whichever replica', async () => {
  const { client, executedOf, declare, forgetAll } = await setting('crowd');
  await inTime(async (dueAt) => {
    await forgetAll();
    await declare(dueAt, 'job');
    const before = await readCount();
    await sleep(Math.max(0, dueAt - 150 - Date.now()));
    const count = (await readCount()) - before;
    // Both replicas have planned all of them; a late look may have missed it.
    if (Date.now() >= dueAt || count < 2 * COUNT) return false;
    expect(executedOf(dueAt)).toEqual([]);
    await eventually(() => executedOf(dueAt).length >= COUNT);
    await sleep(200);
    expect(
      executedOf(dueAt)
        .map(({ scheduleId }) => scheduleId)
        .sort(),
    ).toEqual([...ids].sort());
    const readSince = (await readCount()) - before;
    const { items } = await client.schedules.list({ limit: COUNT });
    // What is told as late is planned again.
    if (items.some(({ ticks }) => ticks.lateCount > 0)) return false;
    // Nothing changed meanwhile: nobody had to read them again.
    expect(readSince).toBeLessThan(2 * COUNT + COUNT);
    return true;
  });
}, 180_000);

it('a plan does not outlive the declaration it was made from', async () => {
  const { client, executedOf, declare, forgetAll } = await setting('redeclared');
  await inTime(async (dueAt) => {
    await forgetAll();
    await declare(dueAt, 'old');
    await sleep(Math.max(0, dueAt - 250 - Date.now()));
    // The same version and due time as before, made a moment later; one by one they would come too late.
    await Promise.all(ids.map((id) => client.schedules.remove({ id })));
    const declared = await declare(dueAt, 'new');
    if (Date.now() >= dueAt) return false;
    expect(declared.every(({ schedule }) => schedule.version === 1)).toBe(true);
    await eventually(() => executedOf(dueAt).length >= COUNT);
    expect(executedOf(dueAt).map(({ job }) => job.payload)).toEqual(ids.map(() => 'new'));
    return true;
  });
}, 180_000);

it('a tick that was planned and then fell into a pause is skipped', async () => {
  const { client, other, executedOf, declare, forgetAll } = await setting('paused');
  await inTime(async (dueAt) => {
    await forgetAll();
    await declare(dueAt, 'job');
    await sleep(Math.max(0, dueAt - 250 - Date.now()));
    await Promise.all(ids.map((id) => client.schedules.pause({ id })));
    if (Date.now() >= dueAt) return false;
    await sleep(dueAt + 20 - Date.now());
    await Promise.all(ids.map((id) => other.schedules.resume({ id, catchUp: false })));
    await eventually(async () => {
      const { items } = await client.schedules.list({ limit: COUNT });
      expect(items.map(({ ticks }) => ticks.skippedCount)).toEqual(ids.map(() => 1));
    });
    expect(executedOf(dueAt)).toEqual([]);
    return true;
  });
}, 180_000);
