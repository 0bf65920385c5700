import type { CommanderClient } from '../../src/sdk/commander-client.js';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const EVERY_MS = 100;

let service: Service;
beforeAll(async () => {
  service = await Service.start({ MISFIRE_THRESHOLD_MS: '1000', RECONCILE_EVERY_MS: '600000' });
});
afterAll(() => service.stop());

/** A schedule that has fired and whose ticks then come due without anybody seeing it. */
async function withOverdueTicks(namespace: string, more: object = {}) {
  const client = service.client({ namespace });
  const agent = await service.agent({ capacity: 500 }, undefined, namespace);
  await client.schedules.list();
  // The declaration has to be there before the first tick.
  const startAt = Date.now() + 2_000;
  const declaration = { id: 's', everyMs: EVERY_MS, startAt, misfire: 'all' as const, job: { name: 'job' }, ...more };
  await client.schedules.upsert(declaration);
  await eventually(() => agent.executeCount >= 2);
  const member = `s|${namespace}|s`;
  // A firing under way puts it back once.
  await eventually(async () => {
    await service.redis.cli('zrem', '{commander}:due', member);
    const firedCount = async () => (await client.schedules.get({ id: 's' })).ticks.firedCount;
    const before = await firedCount();
    await new Promise((resolve) => setTimeout(resolve, Math.max(1_500, 3 * EVERY_MS)));
    expect(await service.redis.cli('zscore', '{commander}:due', member)).toBe('');
    expect(await firedCount()).toBe(before);
  });
  return { client, agent, startAt, declaration };
}

const demanded = (startAt: number, until: number) => Math.floor((until - startAt) / EVERY_MS) + 1;

/** Every due time of the old timing has an outcome: as many as had come when the new one was declared. */
async function expectWholeLedger(client: CommanderClient, startAt: number, from: number, to: number) {
  const { ticks } = await client.schedules.get({ id: 's' });
  expect(ticks.firedCount + ticks.lateCount + ticks.skippedCount + ticks.missedCount).toBe(ticks.demandedCount);
  expect(ticks.demandedCount).toBeGreaterThanOrEqual(demanded(startAt, from));
  expect(ticks.demandedCount).toBeLessThanOrEqual(demanded(startAt, to));
  return ticks;
}

it.each([
  ['another rhythm', { everyMs: 3_600_000 }],
  ['a later start', { startAt: Date.now() + 3_600_000 }],
  ['a switch that is off', { enabled: false }],
])('%s leaves the overdue ticks of the old timing to the old policy', async (name, change) => {
  const { client, agent, startAt, declaration } = await withOverdueTicks(`timing-${name.replaceAll(' ', '-')}`);
  const from = Date.now();
  const { changed } = await client.schedules.upsert({ ...declaration, ...change });
  const to = Date.now();
  expect(changed).toBe(true);
  const ticks = await expectWholeLedger(client, startAt, from, to);
  // misfire `all`: every one of them became a run.
  expect(ticks.firedCount + ticks.lateCount).toBe(ticks.demandedCount);
  await eventually(() => agent.executeCount === ticks.demandedCount, { timeoutMs: 20_000 });
  // The oldest of them is known by its reason.
  const { outcome } = await client.schedules.explain({ id: 's', at: startAt + EVERY_MS });
  expect(['fired', 'late']).toContain(outcome);
});

it('misfire `once` of the old declaration decides about what is overdue', async () => {
  const { client, startAt, declaration } = await withOverdueTicks('timing-once', { misfire: 'once' });
  const from = Date.now();
  await client.schedules.upsert({ ...declaration, misfire: 'all', everyMs: 3_600_000 });
  const ticks = await expectWholeLedger(client, startAt, from, Date.now());
  expect(ticks.missedCount).toBeGreaterThan(0);
});

it('of a paused schedule they are skipped', async () => {
  const namespace = 'timing-paused';
  const client = service.client({ namespace });
  await client.schedules.list();
  // The declaration has to be there before the first tick.
  const startAt = Date.now() + 2_000;
  const declaration = { id: 's', everyMs: EVERY_MS, startAt, job: { name: 'job' } };
  await client.schedules.upsert(declaration);
  await client.schedules.pause({ id: 's' });
  await new Promise((resolve) => setTimeout(resolve, 2_000 + 5 * EVERY_MS));
  const from = Date.now();
  await client.schedules.upsert({ ...declaration, everyMs: 3_600_000 });
  const ticks = await expectWholeLedger(client, startAt, from, Date.now());
  expect(ticks.skippedCount).toBeGreaterThanOrEqual(4);
  expect((await client.schedules.get({ id: 's' })).state).toBe('paused');
  await client.schedules.resume({ id: 's', catchUp: true });
  expect((await client.schedules.get({ id: 's' })).ticks.skippedCount).toBe(ticks.skippedCount);
});
