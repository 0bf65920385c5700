import { setTimeout as sleep } from 'node:timers/promises';
import { jitterOf } from '../../src/schedules/jitter.js';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const EVERY_MS = 4_000;
const JITTER_MS = 3_500;

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(() => service.stop());

/** A schedule of which one tick has hardly any jitter and the next one nearly all of it. */
function findSchedule(firstTick: number): string {
  for (let number = 0; ; number += 1) {
    const id = `jitter-${number}`;
    const jitterMs = [0, 1].map((tick) => jitterOf('default', id, firstTick + tick * EVERY_MS, JITTER_MS));
    if (jitterMs[0] < 200 && jitterMs[1] > 3_000) return id;
  }
}

it('a tick is not fired before its jitter is over, also when the one before it is overdue', async () => {
  const client = service.client();
  await service.agent();
  const startAt = Date.now() + 1_000;
  const id = findSchedule(startAt);
  const secondAt = startAt + EVERY_MS;
  const spec = { id, everyMs: EVERY_MS, startAt, endAt: secondAt, jitterMs: JITTER_MS, job: { name: 'job' } };
  await client.schedules.upsert(spec);
  await client.schedules.pause({ id });
  // Now the first one is overdue, the second one has come, but its jitter is not over.
  await sleep(secondAt + 1_000 - Date.now());
  await client.schedules.resume({ id, catchUp: true });
  const { items } = await eventually(
    async () => {
      const page = await client.runs.list({ scheduleId: id });
      return page.items.length === 2 && page;
    },
    { timeoutMs: 15_000 },
  );
  const second = items.find(({ tickAt }) => tickAt === secondAt);
  expect(second?.createdAt).toBeGreaterThanOrEqual(secondAt + jitterOf('default', id, secondAt, JITTER_MS));
}, 60_000);
