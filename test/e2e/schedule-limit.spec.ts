import { Service } from '../support/service.js';

describe('MAX_SCHEDULES', () => {
  let service: Service;
  beforeAll(async () => {
    service = await Service.start({ MAX_SCHEDULES: '2' });
  });
  afterAll(() => service.stop());

  const record = (id: string) => ({ id, cron: '0 0 1 1 *', job: { name: 'job' } });
  const sync = (namespace: string, ids: string[]) =>
    service.client({ namespace }).schedules.sync({ owner: 'site', records: ids.map(record) });
  const stored = async (namespace: string) =>
    (await service.client({ namespace }).schedules.list({})).items.map(({ id }) => id);

  it('refuses one more schedule, and takes those that are there again', async () => {
    const { schedules } = service.client({ namespace: 'one-by-one' });
    for (const id of ['a', 'b']) await schedules.upsert(record(id));
    await expect(schedules.upsert(record('c'))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('2 schedules (MAX_SCHEDULES)'),
    });
    expect(await schedules.upsert(record('b'))).toMatchObject({ created: false, changed: false });
    expect(await stored('one-by-one')).toEqual(['a', 'b']);
  });

  it('refuses a set that does not fit as a whole: nothing of it is stored', async () => {
    await expect(sync('set', ['a', 'b', 'c'])).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(await stored('set')).toEqual([]);
    expect((await sync('set', ['a', 'b'])).created).toEqual(['a', 'b']);
    await expect(sync('set', ['b', 'c'])).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect((await sync('set', ['a', 'b'])).unchanged).toEqual(['a', 'b']);
    expect(await stored('set')).toEqual(['a', 'b']);
  });
});
