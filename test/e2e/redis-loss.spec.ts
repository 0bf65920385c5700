import { eventually } from '../support/eventually.js';
import { httpGet } from '../support/http-get.js';
import { Service } from '../support/service.js';

const hourly = { cron: '0 * * * *', job: { name: 'job' } };
// Long enough for its margin to outlast a stall of a busy machine.
const DEADLINE_MS = 1_500;

/** A process that stands still for the whole margin of a deadline says `DEADLINE_EXCEEDED`, which is as true: then it is asked again, twice. */
async function refusedAsUnavailable(call: () => Promise<unknown>): Promise<void> {
  let refusal: unknown;
  for (let asks = 0; asks < 3; asks++) {
    refusal = await call().catch((error: unknown) => error);
    if ((refusal as { code?: string }).code !== 'DEADLINE_EXCEEDED') break;
  }
  expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
}

let service: Service;
beforeEach(async () => {
  service = await Service.start({}, { redis: { appendOnly: true, args: ['--appendfsync', 'always'] } });
});
afterEach(() => service.stop());

it('with Redis down a command answers UNAVAILABLE within its deadline, and did not take effect later', async () => {
  const client = service.client();
  await client.schedules.upsert({ id: 'before', ...hourly });
  await service.redis.kill();
  await eventually(async () => expect((await client.system.health({})).status).toBe('error'));
  for (const call of [
    () => client.schedules.upsert({ id: 'during', ...hourly }, { deadlineMs: DEADLINE_MS }),
    () => client.jobs.submit({ job: { name: 'job' } }, { deadlineMs: DEADLINE_MS }),
    () => client.schedules.get({ id: 'before' }, { deadlineMs: DEADLINE_MS }),
    () => client.agents.list({}, { deadlineMs: DEADLINE_MS }),
    () => client.results.list({}, { deadlineMs: DEADLINE_MS }),
    () => client.system.stats({}, { deadlineMs: DEADLINE_MS }),
  ]) {
    await refusedAsUnavailable(call);
  }
  await service.redis.restart();
  await eventually(async () => expect((await client.system.health({})).status).toBe('ok'));
  // What was acknowledged is there, what was not is not.
  expect((await client.schedules.list({})).items.map(({ id }) => id)).toEqual(['before']);
  expect((await client.runs.list({})).items).toEqual([]);
});

it('with Redis frozen a command answers UNAVAILABLE within its deadline', async () => {
  const client = service.client();
  await client.system.stats({});
  service.redis.freeze();
  await refusedAsUnavailable(() => client.schedules.get({ id: 'x' }, { deadlineMs: DEADLINE_MS }));
  service.redis.thaw();
  await expect(client.schedules.get({ id: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('starts without Redis, says that it is not ready, and works when Redis comes', async () => {
  await service.redis.kill();
  const replica = await service.addReplica();
  expect((await httpGet(`${replica.httpUrl}/livez`)).status).toBe(200);
  expect((await httpGet(`${replica.httpUrl}/readyz`)).status).toBe(503);
  await service.redis.restart();
  await eventually(async () => expect((await httpGet(`${replica.httpUrl}/readyz`)).status).toBe(200));
  const client = service.client({}, replica);
  await service.agent({}, replica);
  await expect(client.jobs.submit({ job: { name: 'job' }, wait: true })).resolves.toMatchObject({
    result: { ok: true },
  });
});

it('ticks and runs go on after a restart of Redis, none lost and none twice', async () => {
  const client = service.client({ requestTimeoutMs: 10_000 });
  const agent = await service.agent();
  // The declaration has to be there before the first tick.
  const startAt = Date.now() + 2_000;
  await client.schedules.upsert({ id: 'through', everyMs: 250, startAt, endAt: startAt + 5_999, job: { name: 'job' } });
  await eventually(() => agent.executeCount >= 4);
  await service.redis.kill();
  await service.redis.restart();
  await eventually(async () => expect((await client.schedules.get({ id: 'through' })).state).toBe('ended'), {
    timeoutMs: 30_000,
  });
  const { items } = await eventually(
    async () => {
      const page = await client.runs.list({ scheduleId: 'through', limit: 500 });
      return page.items.every(({ state }) => state === 'succeeded') && page;
    },
    { timeoutMs: 30_000 },
  );
  expect(items.map(({ tickAt }) => tickAt).sort()).toEqual(Array.from({ length: 24 }, (_, at) => startAt + at * 250));
}, 60_000);

it('what an agent answers while Redis is away is kept, and the run is not executed again', async () => {
  const client = service.client();
  let answer: (value: string) => void = () => undefined;
  const agent = await service.agent({ handler: () => new Promise((resolve) => (answer = resolve)) });
  const { runId } = await client.jobs.submit({ job: { name: 'job' }, timeoutMs: 600_000 });
  await eventually(() => agent.activeCount === 1);
  await service.redis.kill();
  answer('heard');
  await eventually(() => agent.activeCount === 0);
  // Several tries to write it down fail.
  await eventually(async () => expect((await client.system.health({})).status).toBe('error'));
  await service.redis.restart();
  await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'), {
    timeoutMs: 20_000,
  });
  expect(await client.runs.get({ runId })).toMatchObject({ attempt: 1, epoch: 1, result: 'heard' });
  expect(agent.executeCount).toBe(1);
  // The agent has its place back.
  const { items } = await client.agents.list({});
  expect(items).toMatchObject([{ inFlight: 0 }]);
});
