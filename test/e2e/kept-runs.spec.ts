import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const KEPT_COUNT = 2;
/** A schedule that is triggered by hand. */
const byHand = { cron: '0 0 1 1 *', job: { name: 'job' }, retry: { maxAttempts: 1 } };

describe('runs that ended', () => {
  let service: Service;
  beforeAll(async () => {
    service = await Service.start({
      RUNS_KEPT_PER_SCHEDULE: String(KEPT_COUNT),
      IDEMPOTENCY_WINDOW_MS: '1000',
      RECORDER_REDIS_SAMPLES: '0',
    });
  });
  afterAll(() => service.stop());

  it('parts are kept until the last of them has ended, however few runs are kept', async () => {
    const namespace = 'parts';
    const client = service.client({ namespace });
    const order = ['first', 'second', 'third', 'fourth'];
    const ended: string[] = [];
    for (const agentId of order) {
      const handler = async () => {
        await eventually(() => ended.length === order.indexOf(agentId));
        // The one before it has been written down by now.
        await sleep(100);
        ended.push(agentId);
        if (agentId === 'first') throw new Error('this agent cannot');
        return agentId;
      };
      await service.agent({ agentId, handler }, undefined, namespace);
    }
    await client.schedules.upsert({ ...byHand, id: 'all', route: { strategy: 'broadcast' } });
    await expect(client.schedules.trigger({ id: 'all', wait: true })).rejects.toMatchObject({
      message: expect.stringContaining('1 of 4 parts did not succeed: this agent cannot') as string,
    });
    // Now they are runs like others, and the oldest go.
    ended.length = 0;
    await client.schedules.trigger({ id: 'all', wait: true }).catch(() => undefined);
    const key = `{commander}:ended-of:${namespace}:all`;
    expect(Number(await service.redis.cli('zcard', key))).toBeLessThanOrEqual(KEPT_COUNT + 4);
  });

  it('a part that ends when its whole is gone leaves nothing of that behind', async () => {
    const namespace = 'orphan';
    const client = service.client({ namespace });
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const agent = await service.agent({ handler: () => answered }, undefined, namespace);
    const { runId } = await client.jobs.submit({ job: { name: 'job' }, route: { strategy: 'broadcast' } });
    await eventually(() => agent.activeCount === 1);
    await service.redis.cli('del', `{commander}:run:${namespace}:${runId}`);
    answer();
    await eventually(async () => expect((await client.runs.get({ runId: `${runId}.0` })).state).toBe('succeeded'));
    expect(await service.redis.cli('exists', `{commander}:run:${namespace}:${runId}`)).toBe('0');
  });

  describe('badly', () => {
    const namespace = 'dead';
    const made: Record<string, { runId: string; createdAt: number }> = {};
    beforeAll(async () => {
      const client = service.client({ namespace });
      const handler = () => {
        throw new Error('broken');
      };
      await service.agent({ handler }, undefined, namespace);
      for (const id of ['a', 'b']) {
        await client.schedules.upsert({ ...byHand, id });
        await client.schedules.trigger({ id, wait: true }).catch(() => undefined);
        [made[id]] = (await client.runs.list({ scheduleId: id })).items;
      }
    });

    it('are listed by schedule and by when they were made', async () => {
      const client = service.client({ namespace });
      const listed = async (more: object) =>
        (await client.runs.list({ deadLettersOnly: true, ...more })).items.map(({ runId }) => runId);
      const { a, b } = made;
      expect(await listed({})).toEqual([b.runId, a.runId]);
      expect(await listed({ scheduleId: 'a' })).toEqual([a.runId]);
      expect(await listed({ scheduleId: 'c' })).toEqual([]);
      // A run ends later than it is made.
      expect(await listed({ since: a.createdAt })).toEqual([b.runId, a.runId]);
      expect(await listed({ since: b.createdAt })).toEqual([b.runId]);
      expect(await listed({ since: b.createdAt + 1 })).toEqual([]);
    });

    it('are retried once, also when other idempotency keys are forgotten', async () => {
      const client = service.client({ namespace });
      const { runId } = made.a;
      const retried = await client.runs.retry({ runId });
      const once = { job: { name: 'job' }, idempotencyKey: 'once' };
      const first = await client.jobs.submit(once);
      await eventually(async () => expect((await client.jobs.submit(once)).runId).not.toBe(first.runId));
      expect(await client.runs.retry({ runId })).toEqual(retried);
    });
  });
});

describe('what is forgotten for its age', () => {
  let service: Service;
  beforeAll(async () => {
    service = await Service.start({
      RUN_RETENTION_MS: '1000',
      RESULT_RETENTION_MS: '1000',
      MAX_REQUESTS_PER_SECOND: '0',
      RECORDER_REDIS_SAMPLES: '0',
    });
  });
  afterAll(() => service.stop());

  const members = async (key: string) =>
    (await service.redis.cli('zrange', `{commander}:${key}`, '0', '-1')).split('\n').filter((one) => one !== '');
  const exists = async (key: string) => (await service.redis.cli('exists', `{commander}:${key}`)) === '1';

  it('leaves the list of its schedule, and the lists go with the last run, not sooner', async () => {
    const namespace = 'aged';
    const client = service.client({ namespace });
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const handler = ({ job }: { job: { payload?: unknown } }) => (job.payload === 'stay' ? answered : 'ok');
    const agent = await service.agent({ capacity: 10, handler }, undefined, namespace);
    await client.schedules.upsert({ ...byHand, id: 's' });
    const { runId: open } = await client.schedules.trigger({ id: 's', payload: 'stay' });
    await eventually(() => agent.activeCount === 1);
    const old: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      old.push((await client.schedules.trigger({ id: 's', wait: true })).runId);
    }
    await eventually(async () => expect(await exists(`run:${namespace}:${old[4]}`)).toBe(false));
    await eventually(async () => {
      await client.schedules.trigger({ id: 's', wait: true });
      const listed = await members(`runs-of:${namespace}:s`);
      expect(listed).toContain(open);
      expect(listed.filter((runId) => old.includes(runId))).toEqual([]);
    });
    await client.schedules.remove({ id: 's' });
    answer();
    await eventually(async () => {
      expect(await exists(`runs-of:${namespace}:s`)).toBe(false);
      expect(await exists(`ended-of:${namespace}:s`)).toBe(false);
    });
  });

  it('of a removed schedule leaves with its lists; those of one that is declared again stay', async () => {
    const namespace = 'again';
    const client = service.client({ namespace });
    await service.agent({ capacity: 10 }, undefined, namespace);
    for (const id of ['gone', 'back']) {
      await client.schedules.upsert({ ...byHand, id });
      await client.schedules.trigger({ id, wait: true });
      await client.schedules.remove({ id });
    }
    await client.schedules.upsert({ ...byHand, id: 'back' });
    expect(await members(`ended-of:${namespace}:back`)).toHaveLength(1);
    await eventually(async () => {
      expect(await exists(`runs-of:${namespace}:gone`)).toBe(false);
      expect(await exists(`ended-of:${namespace}:gone`)).toBe(false);
    });
    for (const list of ['runs-of', 'ended-of']) {
      expect(await service.redis.cli('pttl', `{commander}:${list}:${namespace}:back`)).toBe('-1');
    }
  });

  it('leaves the list of results without anybody listing them', async () => {
    const namespace = 'values';
    const client = service.client({ namespace });
    await service.agent({ capacity: 10 }, undefined, namespace);
    const store = (resultKey: string) => client.jobs.submit({ job: { name: 'job' }, resultKey, wait: true });
    const old = Array.from({ length: 30 }, (_, index) => `old-${index}`);
    await Promise.all(old.map(store));
    await eventually(async () => {
      const left = await Promise.all(old.map((key) => exists(`result:${namespace}:${key}`)));
      expect(left).not.toContain(true);
    });
    let count = 0;
    await eventually(async () => {
      await store(`new-${count++}`);
      const listed = await members(`results:${namespace}`);
      expect(listed.filter((key) => old.includes(key)).length).toBeLessThan(15);
    });
  });
});
