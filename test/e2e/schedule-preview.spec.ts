import { expectReply, Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(() => service.stop());

const codes = ({ warnings }: { warnings: { code: string }[] }) => warnings.map(({ code }) => code);

it('answers with ticks and warnings, and stores nothing', async () => {
  const client = service.client({ namespace: 'dry' });
  const reply = await client.schedules.preview({
    id: 'nightly',
    cron: '30 2 * * *',
    timezone: 'Europe/Berlin',
    from: '2026-03-28T12:00:00Z',
    count: 2,
  });
  expectReply('schedule.preview', reply);
  expect(reply.runs).toEqual([Date.parse('2026-03-29T03:00:00+02:00'), Date.parse('2026-03-30T02:30:00+02:00')]);
  expect(reply.warnings.map(({ code, at }) => [code, at && new Date(at).toISOString()])).toEqual([
    ['DST_GAP', '2026-03-29T01:00:00.000Z'],
    ['DST_REPEAT', '2026-10-25T01:00:00.000Z'],
    ['DST_GAP', '2027-03-28T01:00:00.000Z'],
  ]);
  expect((await client.schedules.list({})).items).toEqual([]);
});

it('previews from now when nothing else is said', async () => {
  const before = Date.now();
  const { runs } = await service.client().schedules.preview({ everyMs: 1_000 });
  expect(runs).toHaveLength(10);
  // This machine and Redis have one clock; what else differs is the estimate of it.
  expect(runs[0]).toBeGreaterThan(before - 1_000);
  expect(runs[0]).toBeLessThanOrEqual(Date.now() + 2_000);
});

it('warns of what would never fire, and refuses what is no timing', async () => {
  const client = service.client();
  const reply = await client.schedules.preview({ cron: '0 0 30 2 *' });
  expectReply('schedule.preview', reply);
  expect(reply.runs).toEqual([]);
  expect(codes(reply)).toEqual(['NEVER_FIRES']);
  for (const broken of [{ cron: '99 * * * *' }, { cron: '* * * * *', timezone: 'Mars/Olympus' }, {}]) {
    await expect(client.schedules.preview(broken)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});

describe('a crowded second', () => {
  const later = (seconds: number) => (Math.floor(Date.now() / 1_000) + seconds) * 1_000;
  const crowd = async (namespace: string, count: number, at: number) => {
    const client = service.client({ namespace });
    const ids = Array.from({ length: count }, (_, n) => `crowd-${n}`);
    await Promise.all(ids.map((id, n) => client.schedules.upsert({ id, at: at + n, job: { name: 'job' } })));
    return client;
  };

  it('is told when 50 schedules of the namespace are due in it, and not of 49', async () => {
    const at = later(600);
    const client = await crowd('crowded', 49, at);
    // Those of others, even of a namespace that begins alike, do not count.
    await crowd('crowded2', 60, at);
    expect(codes(await client.schedules.preview({ at }))).toEqual([]);
    await client.schedules.upsert({ id: 'fiftieth', at: at + 999, job: { name: 'job' } });
    const reply = await client.schedules.preview({ at });
    expectReply('schedule.preview', reply);
    expect(reply.warnings).toMatchObject([
      { code: 'CROWDED_SECOND', at, message: expect.stringContaining('50 schedules of namespace crowded') as string },
    ]);
    expect(codes(await client.schedules.preview({ at: at + 1_000 }))).toEqual([]);
    expect(codes(await client.schedules.preview({ at: at - 1 }))).toEqual([]);
  });

  it('does not count the schedule that is asked about, and is not told of one that jitter spreads', async () => {
    const at = later(1_200);
    const client = await crowd('own', 50, at);
    expect(codes(await client.schedules.preview({ at }))).toEqual(['CROWDED_SECOND']);
    expect(codes(await client.schedules.preview({ at, id: 'crowd-7' }))).toEqual([]);
    expect(codes(await client.schedules.preview({ at, id: 'another' }))).toEqual(['CROWDED_SECOND']);
    expect(codes(await client.schedules.preview({ at, jitterMs: 3_600_000 }))).toEqual([]);
  });

  it('is found among a thousand runs', async () => {
    const at = later(1_800);
    const client = await crowd('many', 55, at);
    const reply = await client.schedules.preview({ everyMs: 1_000, startAt: at - 500_000, count: 1_000 });
    expect(reply.warnings).toMatchObject([{ code: 'CROWDED_SECOND', at }]);
  });
});
