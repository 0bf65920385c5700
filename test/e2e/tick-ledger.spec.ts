import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const ENTRIES_KEPT = 10;
const SCHEDULE = '{commander}:schedule:default:s';
const TICKS_OF = '{commander}:ticks-of:default:s';

let service: Service;
let redis: Redis;
beforeAll(async () => {
  service = await Service.start({ TICKS_KEPT_PER_SCHEDULE: String(ENTRIES_KEPT), LATE_AFTER_MS: '60000' });
  redis = new Redis(service.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await service.stop();
});

const newest = async () => (await redis.hget(SCHEDULE, 'lastTicks'))?.split('|');
const older = async () => (await redis.zrange(TICKS_OF, 0, '-1')).map((entry) => entry.split('|'));

it('keeps what ended alike in one entry, the newest with the schedule, and no more entries than are kept', async () => {
  const client = service.client();
  await service.agent({ capacity: 100 });
  await client.schedules.upsert({ id: 's', everyMs: 100, job: { name: 'job' } });
  await eventually(async () => expect(Number((await newest())?.[2])).toBeGreaterThanOrEqual(3));
  const [firstTickAt, , , outcome] = (await newest())!;
  expect(outcome).toBe('fired');
  expect(await older()).toEqual([]);

  // A pause that ends without catching up leaves ticks that were skipped; those after it are fired.
  const skipOne = async () => {
    const skippedBefore = (await client.schedules.get({ id: 's' })).ticks.skippedCount;
    await client.schedules.pause({ id: 's' });
    await new Promise((resolve) => setTimeout(resolve, 250));
    await client.schedules.resume({ id: 's' });
    await eventually(async () => {
      expect((await client.schedules.get({ id: 's' })).ticks.skippedCount).toBeGreaterThan(skippedBefore);
      expect((await newest())?.[3]).toBe('fired');
    });
  };
  await skipOne();
  expect((await older()).map((entry) => entry[3])).toEqual(['fired', 'skipped']);
  expect((await client.schedules.explain({ id: 's', at: Number(firstTickAt) })).outcome).toBe('fired');
  const [, skipped] = await older();
  expect((await client.schedules.explain({ id: 's', at: Number(skipped[0]) })).outcome).toBe('skipped');

  while ((await older()).length < ENTRIES_KEPT - 1) await skipOne();
  await skipOne();
  await client.schedules.pause({ id: 's' });
  const kept = [...(await older()), (await newest())!];
  expect(kept).toHaveLength(ENTRIES_KEPT);
  for (const [index, [from]] of kept.entries()) {
    if (index > 0) expect(Number(from)).toBe(Number(kept[index - 1][1]) + 100);
  }
  expect(await redis.pttl(TICKS_OF)).toBeGreaterThan(0);
  await expect(client.schedules.explain({ id: 's', at: Number(firstTickAt) })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });

  await client.schedules.remove({ id: 's' });
  expect(await redis.exists(SCHEDULE, TICKS_OF)).toBe(0);
}, 120_000);
