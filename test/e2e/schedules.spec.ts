import type { ScheduleSpecInput } from '../../src/contract/schedule.schema.js';
import { eventually } from '../support/eventually.js';
import { expectReply, Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(() => service.stop());

const hourly = { cron: '0 * * * *', job: { name: 'job' } };
/** Ticks that are far away: none comes between two commands, whatever the time of the day is. */
const farHourly = { startAt: '2090-01-01T00:00:00Z', everyMs: 3_600_000 };

describe('schedule.upsert', () => {
  it('creates, returns the next ticks, and fills in defaults', async () => {
    const client = service.client();
    const reply = await client.schedules.upsert({ id: 'created', ...hourly, timezone: 'Europe/Berlin' });
    expectReply('schedule.upsert', reply);
    expect(reply).toMatchObject({
      created: true,
      changed: true,
      schedule: { version: 1, enabled: true, misfire: 'once', overlap: 'allow' },
    });
    expect(reply.nextRuns).toHaveLength(3);
    expect(reply.nextRuns[1] - reply.nextRuns[0]).toBe(3_600_000);
  });

  it('touches nothing when the declaration is the same, in whatever order its fields come', async () => {
    const client = service.client();
    const payload = { b: 1, a: [{ d: 1, c: 2 }] };
    await client.schedules.upsert({ id: 'same', ...farHourly, job: { name: 'job', payload } });
    const before = await service.redis.cli('hgetall', '{commander}:schedule:default:same');
    const again = await client.schedules.upsert({
      job: { payload: { a: [{ c: 2, d: 1 }], b: 1 }, name: 'job' },
      everyMs: farHourly.everyMs,
      startAt: farHourly.startAt,
      id: 'same',
    });
    expect(again).toMatchObject({ created: false, changed: false, schedule: { version: 1 } });
    expect(await service.redis.cli('hgetall', '{commander}:schedule:default:same')).toBe(before);
  });

  it('keeps a pending tick when only the job changes, and moves it when the timing does', async () => {
    const client = service.client();
    const pending = () => service.redis.cli('zscore', '{commander}:due', 's|default|moved');
    const { nextRuns } = await client.schedules.upsert({ id: 'moved', ...farHourly, job: { name: 'job' } });
    const before = await pending();
    const changed = await client.schedules.upsert({ id: 'moved', ...farHourly, job: { name: 'other' } });
    expect(changed).toMatchObject({ created: false, changed: true, schedule: { version: 2 }, nextRuns });
    expect(await pending()).toBe(before);
    const later = { ...farHourly, startAt: '2090-01-01T00:20:00Z' };
    const moved = await client.schedules.upsert({ id: 'moved', ...later, job: { name: 'other' } });
    expect(moved.nextRuns[0]).toBe(Date.parse(later.startAt));
    expect(Number(await pending())).toBe(Date.parse(later.startAt));
  });

  it('refuses a version that is not the stored one, and takes the right one', async () => {
    const client = service.client();
    await client.schedules.upsert({ id: 'versioned', ...hourly, expectedVersion: 0 });
    for (const expectedVersion of [0, 7]) {
      await expect(client.schedules.upsert({ id: 'versioned', ...hourly, expectedVersion })).rejects.toMatchObject({
        code: 'VERSION_CONFLICT',
        details: { version: 1 },
      });
    }
    const reply = await client.schedules.upsert({ id: 'versioned', ...hourly, tags: ['x'], expectedVersion: 1 });
    expect(reply.schedule.version).toBe(2);
  });

  it('lets one of many concurrent first declarations create it', async () => {
    const client = service.client();
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => client.schedules.upsert({ id: 'raced', ...hourly })),
    );
    expect(replies.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(replies.map(({ schedule }) => schedule.version))).toEqual(new Set([1]));
  });

  it.each([
    ['a date that never comes', { cron: '0 0 30 2 *' }, /never fire/],
    ['an instant in the past', { at: '2020-01-01T00:00:00Z' }, /never fire/],
    ['an end before the first tick', { cron: '0 0 1 1 *', endAt: Date.now() }, /never fire/],
    ['an unknown zone', { cron: '0 * * * *', timezone: 'Mars/Olympus' }, /IANA zone/],
    ['a broken expression', { cron: '99 * * * *' }, /minute/],
    ['no timing', {}, /exactly one/],
    ['two timings', { cron: '0 * * * *', everyMs: 1_000 }, /exactly one/],
  ])('refuses %s and stores nothing', async (_what, timing, message) => {
    const client = service.client();
    const refused = client.schedules.upsert({ id: 'refused', job: { name: 'job' }, ...timing });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      refused.catch((error: Error & { details?: object }) => `${error.message} ${JSON.stringify(error.details)}`),
    ).resolves.toMatch(message);
    await expect(client.schedules.get({ id: 'refused' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('keeps namespaces apart', async () => {
    await service.client({ namespace: 'one' }).schedules.upsert({ id: 'apart', ...hourly });
    await expect(service.client({ namespace: 'two' }).schedules.get({ id: 'apart' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('schedule.get, list and remove', () => {
  it('pages through all of them in order, filtered by tag and by enabled', async () => {
    const client = service.client({ namespace: 'paging' });
    const ids = Array.from({ length: 25 }, (_, at) => `s-${String(at).padStart(2, '0')}`);
    await Promise.all(
      ids.map((id, at) =>
        client.schedules.upsert({ id, ...hourly, tags: at % 2 === 0 ? ['even'] : [], enabled: at % 5 !== 0 }),
      ),
    );
    const collect = async (filter: { tag?: string; enabled?: boolean }) => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.schedules.list({ ...filter, limit: 4, cursor });
        expectReply('schedule.list', page);
        expect(page.items.length).toBeLessThanOrEqual(4);
        found.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return found;
    };
    expect(await collect({})).toEqual(ids);
    expect(await collect({ tag: 'even' })).toEqual(ids.filter((_id, at) => at % 2 === 0));
    expect(await collect({ enabled: false })).toEqual(ids.filter((_id, at) => at % 5 === 0));
    expect(await collect({ tag: 'none' })).toEqual([]);
  });

  it('shows where a schedule stands', async () => {
    const client = service.client();
    await client.schedules.upsert({ id: 'paused', ...hourly, enabled: false });
    const paused = await client.schedules.get({ id: 'paused' });
    expectReply('schedule.get', paused);
    expect(paused.state).toBe('paused');
    expect(paused.nextRunAt).toBeUndefined();
    await client.schedules.upsert({ id: 'active', ...hourly });
    const active = await client.schedules.get({ id: 'active' });
    expect(active.state).toBe('active');
    expect((active.nextRunAt as number) % 3_600_000).toBe(0);
  });

  it('removes, says whether there was one, and forgets its tick', async () => {
    const client = service.client();
    await client.schedules.upsert({ id: 'gone', ...hourly });
    expect(await client.schedules.remove({ id: 'gone' })).toEqual({ removed: true });
    expect(await client.schedules.remove({ id: 'gone' })).toEqual({ removed: false });
    expect(await service.redis.cli('zscore', '{commander}:due', 's|default|gone')).toBe('');
  });
});

describe('a record that is broken in Redis', () => {
  const namespace = 'broken';
  const recordOf = (id: string) => `{commander}:schedule:${namespace}:${id}`;
  const damage: Record<string, (record: string) => string[]> = {
    'no-json': (record) => ['hset', record, 'spec', '{'],
    'no-spec': (record) => ['hdel', record, 'spec'],
    'no-job': (record) => ['hset', record, 'spec', '{"id":"no-job","everyMs":1000}'],
    'no-cron': (record) => [
      'hset',
      record,
      'spec',
      JSON.stringify({ ...whole, id: 'no-cron', everyMs: undefined, cron: '99 * * * *' }),
    ],
    'no-number': (record) => ['hset', record, 'version', 'x', 'nextTickAt', 'y'],
    'no-hash': (record) => ['set', record, 'text'],
  };
  let whole: ScheduleSpecInput;
  const ids = Object.keys(damage);
  const declared = (id: string) => ({ id, ...farHourly, job: { name: 'job' }, tags: ['t'], maxRuns: 5 });

  beforeAll(async () => {
    const client = service.client({ namespace });
    const { created } = await client.schedules.sync({ owner: 'app', records: [...ids, 'sound'].map(declared) });
    expect(created).toHaveLength(ids.length + 1);
    const { schedule } = await client.schedules.upsert(declared('sound'));
    const { version: _version, createdAt: _createdAt, updatedAt: _updatedAt, ...spec } = schedule;
    whole = spec;
  });

  it.each(ids)('holds back no other, is told, and is mended by declaring it again: %s', async (id) => {
    const client = service.client({ namespace });
    await service.redis.cli('hset', recordOf(id), 'fired', '3');
    if (id === 'no-hash') await service.redis.cli('del', recordOf(id));
    await service.redis.cli(...damage[id](recordOf(id)));

    const page = await client.schedules.list({ limit: 500 });
    expectReply('schedule.list', page);
    expect(page.items.map((item) => item.id).sort()).toEqual([...ids, 'sound'].filter((other) => other !== id).sort());
    expect(page.broken).toEqual([{ id, why: expect.any(String) }]);
    const first = await client.schedules.list({ limit: ids.indexOf(id) + 1 });
    expect(first.items.length + (first.broken?.length ?? 0)).toBe(ids.indexOf(id) + 1);

    const before = await service.redis.cli('dump', recordOf(id));
    const asked = [
      client.schedules.get({ id }),
      client.schedules.trigger({ id }),
      client.schedules.pause({ id }),
      client.schedules.resume({ id }),
      client.schedules.explain({ id, at: 0 }),
      client.schedules.upsert({ ...declared(id), expectedVersion: 1 }),
    ];
    for (const reply of asked) await expect(reply).rejects.toMatchObject({ code: 'BROKEN_RECORD', retryable: false });
    expect(await service.redis.cli('dump', recordOf(id))).toBe(before);

    const records = [...ids, 'sound'].map(declared);
    const tried = await client.schedules.sync({ owner: 'app', records, dryRun: true });
    expect(tried).toMatchObject({ created: [], updated: [id], removed: [] });
    expect(await service.redis.cli('dump', recordOf(id))).toBe(before);
    // Whose it is can be read of most of them, and none of it is lost.
    if (id === 'no-hash') await client.schedules.upsert(declared(id));
    else {
      const other = client.schedules.sync({ owner: 'other', records: [declared(id)] });
      await expect(other).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    }
    expect(await client.schedules.sync({ owner: 'app', records })).toMatchObject({ created: [], removed: [] });

    const mended = await client.schedules.get({ id });
    expectReply('schedule.get', mended);
    const firedCount = id === 'no-hash' ? 0 : 3;
    expect(mended).toMatchObject({ ...whole, id, owner: 'app', state: 'active', ticks: { firedCount } });
    expect((await client.schedules.list({})).broken).toBeUndefined();
    const score = await service.redis.cli('zscore', '{commander}:due', `s|${namespace}|${id}`);
    expect(Number(score)).toBe(mended.nextRunAt);
  });

  it('is removed like any other, also as one that its owner does not declare any more', async () => {
    const client = service.client({ namespace: 'removed' });
    const removed = (id: string) => `{commander}:schedule:removed:${id}`;
    await client.schedules.sync({ owner: 'app', records: ['asked', 'pruned'].map(declared) });
    await service.redis.cli('set', removed('asked'), 'text');
    await service.redis.cli('hset', removed('pruned'), 'spec', '{');
    expect(await client.schedules.remove({ id: 'asked' })).toEqual({ removed: true });
    const pruned = await client.schedules.sync({ owner: 'app', records: [], prune: true });
    expect(pruned.removed).toEqual(['pruned']);
    expect(await client.schedules.list({})).toEqual({ items: [] });
    for (const id of ['asked', 'pruned']) {
      expect(await service.redis.cli('zscore', '{commander}:due', `s|removed|${id}`)).toBe('');
    }
  });
});

describe('ticks', () => {
  it('become runs on an agent, each once, and the newest result is kept', async () => {
    const client = service.client({ namespace: 'ticking' });
    const agent = await service.agent({ handler: ({ tickAt }) => ({ tickAt }) }, undefined, 'ticking');
    await client.schedules.upsert({ id: 'tick', everyMs: 200, job: { name: 'job' }, resultKey: 'tick' });
    await eventually(() => agent.executeCount >= 10);
    await client.schedules.remove({ id: 'tick' });
    const { items } = await eventually(async () => {
      const page = await client.runs.list({ scheduleId: 'tick', limit: 500 });
      return page.items.every(({ state }) => state === 'succeeded') && page;
    });
    const ticks = items.map(({ tickAt }) => tickAt as number).sort((a, b) => a - b);
    // Every due time between the first and the last, and none twice.
    expect(ticks).toEqual(Array.from({ length: ticks.length }, (_, at) => ticks[0] + at * 200));
    expect(agent.executeCount).toBe(ticks.length);
    const result = await client.results.get({ key: 'tick' });
    expectReply('result.get', result);
    expect(result).toMatchObject({
      value: { tickAt: ticks.at(-1) },
      tickAt: ticks.at(-1),
      stale: false,
    });
    // Of two runs that were under way together the newer one may have ended first; then the older one is no result.
    expect(result.version).toBeGreaterThanOrEqual(2);
    expect(result.version).toBeLessThanOrEqual(ticks.length);
  });

  it('end after maxRuns, and after the instant of `at`', async () => {
    const client = service.client({ namespace: 'ending' });
    const agent = await service.agent({}, undefined, 'ending');
    await client.schedules.upsert({ id: 'three', everyMs: 100, maxRuns: 3, job: { name: 'job' } });
    await client.schedules.upsert({ id: 'once', at: Date.now() + 2_000, job: { name: 'job' } });
    await eventually(async () => {
      expect((await client.schedules.get({ id: 'three' })).state).toBe('ended');
      expect((await client.schedules.get({ id: 'once' })).state).toBe('ended');
      expect(agent.executeCount).toBe(4);
    });
    expect((await client.runs.list({ scheduleId: 'three' })).items).toHaveLength(3);
    expect((await client.runs.list({ scheduleId: 'once' })).items).toHaveLength(1);
  });

  it('do not come while the schedule is disabled', async () => {
    const client = service.client({ namespace: 'disabled' });
    const agent = await service.agent({}, undefined, 'disabled');
    await client.schedules.upsert({ id: 'off', everyMs: 100, job: { name: 'job' }, enabled: false });
    await client.schedules.upsert({ id: 'on', everyMs: 100, maxRuns: 5, job: { name: 'job' } });
    await eventually(() => agent.executeCount >= 5);
    expect((await client.runs.list({ scheduleId: 'off' })).items).toHaveLength(0);
  });
});

describe('schedule.trigger', () => {
  it('runs the job now, with another payload and at a named agent when asked to', async () => {
    const client = service.client({ namespace: 'triggering' });
    const echo = ({ job, scheduleId }: { job: { payload: unknown }; scheduleId?: string }) => ({
      payload: job.payload,
      scheduleId,
    });
    await service.agent({ agentId: 'first', handler: echo }, undefined, 'triggering');
    const second = await service.agent({ agentId: 'second', handler: echo }, undefined, 'triggering');
    await client.schedules.upsert({ id: 'now', cron: '0 0 1 1 *', job: { name: 'job', payload: { own: 1 } } });
    const own = await client.schedules.trigger({ id: 'now', wait: true });
    expectReply('schedule.trigger', own);
    expect(own.result).toEqual({ payload: { own: 1 }, scheduleId: 'now' });
    for (let count = 1; count <= 3; count += 1) {
      const other = await client.schedules.trigger({
        id: 'now',
        payload: { other: count },
        agentId: 'second',
        wait: true,
      });
      expect(other.result).toEqual({ payload: { other: count }, scheduleId: 'now' });
    }
    expect(second.executeCount).toBeGreaterThanOrEqual(3);
    await expect(client.schedules.trigger({ id: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('answers a repeated idempotency key with the first run', async () => {
    const client = service.client({ namespace: 'triggering' });
    const first = await client.schedules.trigger({ id: 'now', idempotencyKey: 'k' });
    expect(await client.schedules.trigger({ id: 'now', idempotencyKey: 'k' })).toEqual({
      runId: first.runId,
      deduplicated: true,
    });
    const other = await client.schedules.trigger({ id: 'now', idempotencyKey: 'k2' });
    expect(other.runId).not.toBe(first.runId);
  });
});
