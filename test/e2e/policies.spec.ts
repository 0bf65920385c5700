import { eventually } from '../support/eventually.js';
import type { TcpAgent } from '../support/fake-agent.js';
import { expectReply, Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ MISFIRE_THRESHOLD_MS: '1000', LATE_AFTER_MS: '500' }, { replicas: 2 });
});
afterAll(() => service.stop());

/** Each test has a namespace and an agent whose runs end when it says so. */
async function setting(namespace: string, capacity = 20) {
  const client = service.client({ namespace, requestTimeoutMs: 15_000 });
  const held: { runId: string; release: (value: unknown) => void }[] = [];
  const agent = await service.agent(
    {
      agentId: `agent-of-${namespace}`,
      capacity,
      handler: ({ runId }, { signal }) =>
        new Promise((resolve, reject) => {
          held.push({ runId, release: resolve });
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        }),
    },
    undefined,
    namespace,
  );
  return { client, agent, held };
}

const everySecondOfThree = () => ({
  everyMs: 300,
  startAt: Date.now() + 300,
  maxRuns: undefined as number | undefined,
});

describe('overlap', () => {
  it('allow runs them side by side', async () => {
    const { client, agent, held } = await setting('allow');
    await client.schedules.upsert({ id: 's', ...everySecondOfThree(), job: { name: 'job' } });
    await eventually(() => agent.activeCount >= 3);
    await client.schedules.remove({ id: 's' });
    for (const { release } of held) release('ok');
  });

  it('skip makes no second run while one is under way, whichever replica fires, and the ledger says so', async () => {
    const { client, agent, held } = await setting('skip');
    await client.schedules.upsert({ id: 's', everyMs: 300, overlap: 'skip', job: { name: 'job' } });
    await eventually(async () =>
      expect((await client.schedules.get({ id: 's' })).ticks.skippedCount).toBeGreaterThanOrEqual(3),
    );
    expect(agent.maxActiveCount).toBe(1);
    await expect(client.schedules.trigger({ id: 's' })).rejects.toMatchObject({ code: 'OVERLAP_SKIPPED' });
    held[0].release('ok');
    await eventually(() => agent.executeCount >= 2);
    expect(agent.maxActiveCount).toBe(1);
    await client.schedules.pause({ id: 's' });
    const { ticks } = await client.schedules.get({ id: 's' });
    expect(ticks.demandedCount).toBe(ticks.firedCount + ticks.lateCount + ticks.skippedCount + ticks.missedCount);
    held.at(-1)?.release('ok');
  });

  it('buffer-one keeps one run waiting, and lets it go when the one before it has ended', async () => {
    const { client, agent, held } = await setting('buffer');
    await client.schedules.upsert({ id: 's', cron: '0 0 1 1 *', overlap: 'buffer-one', job: { name: 'job' } });
    const first = await client.schedules.trigger({ id: 's' });
    await eventually(() => agent.executeCount === 1);
    const second = await client.schedules.trigger({ id: 's' });
    await expect(client.schedules.trigger({ id: 's' })).rejects.toMatchObject({ code: 'OVERLAP_SKIPPED' });
    expect((await client.runs.get({ runId: second.runId })).state).toBe('waiting');
    held[0].release('first');
    await eventually(() => agent.executeCount === 2);
    expect((await client.runs.get({ runId: first.runId })).state).toBe('succeeded');
    const third = await client.schedules.trigger({ id: 's' });
    held[1].release('second');
    await eventually(() => agent.executeCount === 3);
    held[2].release('third');
    await eventually(async () => expect((await client.runs.get({ runId: third.runId })).state).toBe('succeeded'));
    expect(agent.maxActiveCount).toBe(1);
  });

  it('a buffered run that is cancelled makes room for another one', async () => {
    const { client, agent, held } = await setting('buffer-cancel');
    await client.schedules.upsert({ id: 's', cron: '0 0 1 1 *', overlap: 'buffer-one', job: { name: 'job' } });
    await client.schedules.trigger({ id: 's' });
    await eventually(() => agent.executeCount === 1);
    const buffered = await client.schedules.trigger({ id: 's' });
    await client.runs.cancel({ runId: buffered.runId });
    const next = await client.schedules.trigger({ id: 's' });
    held[0].release('ok');
    await eventually(() => agent.executeCount === 2);
    held[1].release('ok');
    await eventually(async () => expect((await client.runs.get({ runId: next.runId })).state).toBe('succeeded'));
  });

  it('cancel-previous ends the run under way and aborts it at its agent', async () => {
    const { client, agent, held } = await setting('cancel-previous');
    await client.schedules.upsert({ id: 's', cron: '0 0 1 1 *', overlap: 'cancel-previous', job: { name: 'job' } });
    const first = await client.schedules.trigger({ id: 's' });
    await eventually(() => agent.executeCount === 1);
    const second = await client.schedules.trigger({ id: 's' });
    await eventually(() => agent.executeCount === 2 && agent.activeCount === 1);
    expect(await client.runs.get({ runId: first.runId })).toMatchObject({
      state: 'cancelled',
      error: { code: 'CANCELLED' },
    });
    held[1].release('second');
    await eventually(async () => expect((await client.runs.get({ runId: second.runId })).result).toBe('second'));
  });
});

describe('pause and resume', () => {
  const quick = async (namespace: string) => {
    const client = service.client({ namespace });
    const agent = await service.agent({ agentId: `agent-of-${namespace}`, capacity: 100 }, undefined, namespace);
    return { client, agent };
  };

  it('a paused schedule fires nothing, not even when it is declared again, and goes on where it is resumed', async () => {
    const { client, agent } = await quick('pausing');
    const declaration = { id: 's', everyMs: 200, job: { name: 'job' } };
    await client.schedules.upsert(declaration);
    await eventually(() => agent.executeCount >= 2);
    const paused = await client.schedules.pause({ id: 's', reason: 'the site asked us to' });
    expectReply('schedule.pause', paused);
    expect(paused).toMatchObject({ state: 'paused', pausedReason: 'the site asked us to' });
    await client.schedules.upsert(declaration);
    await client.schedules.upsert({ ...declaration, tags: ['changed'] });
    const before = (await client.schedules.get({ id: 's' })).ticks;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await client.schedules.get({ id: 's' })).ticks).toEqual(before);

    const resumed = await client.schedules.resume({ id: 's' });
    expectReply('schedule.resume', resumed);
    expect(resumed.state).toBe('active');
    expect(resumed.pausedReason).toBeUndefined();
    await eventually(async () => {
      const { ticks } = await client.schedules.get({ id: 's' });
      expect(ticks.skippedCount).toBeGreaterThanOrEqual(3);
      expect(ticks.firedCount).toBeGreaterThan(before.firedCount);
    });
    await client.schedules.remove({ id: 's' });
  });

  it('resume with catchUp deals with what fell into the pause by the misfire policy', async () => {
    const { client } = await quick('catching-up');
    // All of them are paused before their first tick, so that the same ticks fall into each pause.
    const startAt = Date.now() + 2_000;
    const declaration = { everyMs: 200, startAt, job: { name: 'job' } };
    for (const misfire of ['all', 'once', 'skip'] as const) {
      const id = `s-${misfire}`;
      await client.schedules.upsert({ id, ...declaration, misfire });
      await client.schedules.pause({ id });
    }
    await new Promise((resolve) => setTimeout(resolve, startAt + 2_500 - Date.now()));
    for (const misfire of ['all', 'once', 'skip']) await client.schedules.resume({ id: `s-${misfire}`, catchUp: true });
    await eventually(async () => {
      const [all, once, skip] = await Promise.all(
        ['all', 'once', 'skip'].map(async (misfire) => (await client.schedules.get({ id: `s-${misfire}` })).ticks),
      );
      expect(all.lateCount).toBeGreaterThanOrEqual(9);
      expect([all.missedCount, all.skippedCount]).toEqual([0, 0]);
      expect(once.missedCount).toBeGreaterThanOrEqual(4);
      expect(skip.missedCount).toBeGreaterThan(once.missedCount - 3);
      expect(once.lateCount).toBeLessThan(all.lateCount);
      for (const ticks of [all, once, skip]) {
        expect(ticks.demandedCount).toBe(ticks.firedCount + ticks.lateCount + ticks.skippedCount + ticks.missedCount);
      }
    });
    for (const misfire of ['all', 'once', 'skip']) await client.schedules.remove({ id: `s-${misfire}` });
  });

  it('a schedule that is not there cannot be paused or resumed', async () => {
    const { client } = await quick('nobody-home');
    await expect(client.schedules.pause({ id: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.schedules.resume({ id: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('broadcast and shard', () => {
  const three = async (namespace: string, handler?: Parameters<typeof service.agent>[0]): Promise<TcpAgent[]> =>
    Promise.all(['a', 'b', 'c'].map((agentId) => service.agent({ agentId, ...handler }, undefined, namespace)));

  it('broadcast runs the job once on every agent that matches, and answers with what each said', async () => {
    const client = service.client({ namespace: 'broadcast', requestTimeoutMs: 15_000 });
    const agents = await three('broadcast', { handler: ({ shard }) => ({ shard: shard ?? null }) });
    await service.agent({ agentId: 'other', capabilities: ['something-else'] }, undefined, 'broadcast');
    const { result, runId } = await client.jobs.submit({
      job: { name: 'job' },
      route: { strategy: 'broadcast' },
      resultKey: 'all',
      wait: true,
    });
    expect(result).toEqual(
      ['a', 'b', 'c'].map(
        (agentId) => expect.objectContaining({ agentId, state: 'succeeded', result: { shard: null } }) as unknown,
      ),
    );
    expect(agents.map(({ executeCount }) => executeCount)).toEqual([1, 1, 1]);
    expect((await client.results.get({ key: 'all' })).runId).toBe(runId);
    expectReply('run.get', await client.runs.get({ runId }));
  });

  it('shard tells each agent which part of how many it has', async () => {
    const client = service.client({ namespace: 'shard', requestTimeoutMs: 15_000 });
    await three('shard', { handler: ({ shard }) => shard });
    await client.schedules.upsert({
      id: 's',
      at: Date.now() + 1_500,
      job: { name: 'job' },
      route: { strategy: 'shard' },
      resultKey: 'parts',
    });
    const { value } = await eventually(() => client.results.get({ key: 'parts' }));
    expect((value as { result: unknown }[]).map(({ result }) => result)).toEqual(
      [0, 1, 2].map((index) => ({ index, total: 3 })),
    );
  });

  it('fails as a whole when a part fails, and says how many', async () => {
    const client = service.client({ namespace: 'partly', requestTimeoutMs: 15_000 });
    await three('partly', {
      handler: ({ shard }) => {
        if (shard?.index === 1) throw new Error('broken');
        return 'ok';
      },
    });
    await expect(
      client.jobs.submit({ job: { name: 'job' }, route: { strategy: 'shard' }, retry: { maxAttempts: 1 }, wait: true }),
    ).rejects.toMatchObject({ message: expect.stringContaining('1 of 3 parts') as string });
  });

  it('cancelling it cancels every part', async () => {
    const client = service.client({ namespace: 'cancel-parts' });
    const agents = await three('cancel-parts', {
      handler: (_request, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
        ),
    });
    const { runId } = await client.jobs.submit({ job: { name: 'job' }, route: { strategy: 'broadcast' } });
    await eventually(() => agents.every(({ activeCount }) => activeCount === 1));
    await client.runs.cancel({ runId });
    await eventually(() => agents.every(({ activeCount }) => activeCount === 0));
    const { items } = await client.runs.list({});
    expect(new Set(items.map(({ state }) => state))).toEqual(new Set(['cancelled']));
    expect(items).toHaveLength(4);
  });
});

describe('dead letters', () => {
  it('lists what failed, and run.retry makes a new run of it, once, on another agent', async () => {
    const client = service.client({ namespace: 'dead', requestTimeoutMs: 15_000 });
    let isBroken = true;
    const handler = () => {
      if (isBroken) throw new Error('broken');
      return 'mended';
    };
    await service.agent({ agentId: 'one', handler }, undefined, 'dead');
    const failed = (await client.jobs
      .submit({ job: { name: 'job' }, retry: { maxAttempts: 1 }, wait: true })
      .catch((error: { details: { runId: string } }) => error.details)) as { runId: string };
    expect((await client.runs.list({ deadLettersOnly: true })).items.map(({ runId }) => runId)).toEqual([failed.runId]);
    isBroken = false;
    const two = await service.agent({ agentId: 'two', handler }, undefined, 'dead');
    // A retry that seeks another agent believes what it knows of them for 100 ms.
    await new Promise((resolve) => setTimeout(resolve, 250));
    const retried = await client.runs.retry({ runId: failed.runId, onOtherAgent: true });
    expect(await client.runs.retry({ runId: failed.runId })).toEqual(retried);
    await eventually(async () =>
      expect(await client.runs.get({ runId: retried.runId })).toMatchObject({
        state: 'succeeded',
        agentId: 'two',
        result: 'mended',
      }),
    );
    expect(two.executeCount).toBe(1);
    expect((await client.runs.list({ deadLettersOnly: true })).items).toEqual([]);
    await expect(client.runs.retry({ runId: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('schedule.sync', () => {
  const record = (id: string, more: object = {}) => ({ id, cron: '0 0 1 1 *', job: { name: 'job' }, ...more });

  it('creates, updates, leaves alone and prunes, says so beforehand when asked, and touches no pending tick', async () => {
    const client = service.client({ namespace: 'sync' });
    await client.schedules.upsert(record('by-hand'));
    const declared = { owner: 'site-a', records: [record('a'), record('b'), record('c')] };
    const dry = await client.schedules.sync({ ...declared, dryRun: true });
    expectReply('schedule.sync', dry);
    expect(dry).toEqual({ created: ['a', 'b', 'c'], updated: [], unchanged: [], removed: [] });
    expect((await client.schedules.list({})).items.map(({ id }) => id)).toEqual(['by-hand']);
    expect(await client.schedules.sync(declared)).toEqual(dry);

    const before = await service.redis.cli('hgetall', '{commander}:schedule:sync:a');
    const next = { owner: 'site-a', records: [record('a'), record('b', { tags: ['new'] }), record('d')], prune: true };
    expect(await client.schedules.sync(next)).toEqual({
      created: ['d'],
      updated: ['b'],
      unchanged: ['a'],
      removed: ['c'],
    });
    expect(await service.redis.cli('hgetall', '{commander}:schedule:sync:a')).toBe(before);
    expect((await client.schedules.list({})).items.map(({ id }) => id)).toEqual(['a', 'b', 'by-hand', 'd']);
  });

  it('stores nothing when one record is wrong, declared twice, or of another owner', async () => {
    const client = service.client({ namespace: 'sync-refused' });
    await client.schedules.sync({ owner: 'site-a', records: [record('theirs')] });
    for (const [records, code] of [
      [[record('x'), record('never', { cron: '0 0 30 2 *' })], 'INVALID_ARGUMENT'],
      [[record('x'), record('x')], 'INVALID_ARGUMENT'],
      [[record('x'), record('theirs', { tags: ['mine'] })], 'ALREADY_EXISTS'],
    ] as const) {
      await expect(client.schedules.sync({ owner: 'site-b', records: [...records] })).rejects.toMatchObject({ code });
    }
    expect((await client.schedules.list({})).items.map(({ id }) => id)).toEqual(['theirs']);
  });
});

describe('schedule.explain', () => {
  it('tells of each due time how it ended and why', async () => {
    const { client, agent, held } = await setting('explain');
    // The declaration has to be there before the first tick.
    const startAt = Date.now() + 1_500;
    const declaration = {
      id: 's',
      everyMs: 400,
      startAt,
      overlap: 'skip',
      misfire: 'all',
      job: { name: 'job' },
    } as const;
    await client.schedules.upsert(declaration);
    await eventually(async () =>
      expect((await client.schedules.get({ id: 's' })).ticks.skippedCount).toBeGreaterThanOrEqual(1),
    );
    await eventually(() => held.length > 0);
    held[0].release('ok');
    await eventually(async () =>
      expect((await client.schedules.explain({ id: 's', at: startAt })).reasons[1]).toContain('succeeded'),
    );
    const fired = await client.schedules.explain({ id: 's', at: startAt });
    expectReply('schedule.explain', fired);
    expect(fired).toMatchObject({ agentsConsidered: [{ agentId: agent.agentId, chosen: true }] });
    // On a slow machine it may have been half a second late.
    expect(['fired', 'late']).toContain(fired.outcome);
    const skipped = await client.schedules.explain({ id: 's', at: startAt + 400 });
    expect(skipped).toMatchObject({
      outcome: 'skipped',
      reasons: [expect.stringContaining('overlap is skip') as string],
    });
    await expect(client.schedules.explain({ id: 's', at: startAt + 1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(client.schedules.explain({ id: 's', at: startAt + 4_000_000 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(client.schedules.explain({ id: 'x', at: startAt })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await client.schedules.remove({ id: 's', cancelRunning: true });
  });

  it('names the agents that could not take a run, and why', async () => {
    const client = service.client({ namespace: 'explain-nobody' });
    await service.agent({ agentId: 'wrong-job', capabilities: ['other'] }, undefined, 'explain-nobody');
    const at = Date.now() + 1_500;
    await client.schedules.upsert({ id: 's', at, job: { name: 'job' } });
    await eventually(async () => {
      const { agentsConsidered } = await client.schedules.explain({ id: 's', at });
      expect(agentsConsidered).toEqual([{ agentId: 'wrong-job', chosen: false, reason: 'has no handler for job job' }]);
    });
  });
});

describe('the reconciler', () => {
  it('puts back what was deleted from the due index, and counts it', async () => {
    const own = await Service.start({ RECONCILE_EVERY_MS: '500' }, { replicas: 2 });
    try {
      const client = own.client();
      const agent = await own.agent();
      // They are read some at a time: it comes behind the first of them.
      const others = Array.from({ length: 60 }, (_, index) => ({ id: `kept-${index}`, cron: '0 0 29 2 *' }));
      await Promise.all(others.map((other) => client.schedules.upsert({ ...other, job: { name: 'job' } })));
      await client.schedules.upsert({ id: 'lost', everyMs: 1_000, job: { name: 'job' } });
      await client.jobs.submit({ job: { name: 'job' }, delayMs: 1_500 });
      await own.redis.cli('del', '{commander}:due');
      await eventually(() => agent.executeCount >= 3);
      await own.redis.cli('del', '{commander}:due');
      await own.redis.cli('hdel', '{commander}:schedule:default:lost', 'nextTickAt');
      const before = agent.executeCount;
      await eventually(() => agent.executeCount >= before + 2);
      const repairs = await Promise.all(
        own.replicas.map(async (replica) => (await own.client({}, replica).system.stats({})).repairs.totalCount),
      );
      expect(repairs[0]! + repairs[1]!).toBeGreaterThanOrEqual(3);
      // One replica leads, and it alone repairs; on a slow machine it may have lost the lead once, which is a new term.
      const terms = Number(await own.redis.cli('get', '{commander}:leader-term'));
      expect(repairs.filter((count) => count > 0).length).toBeLessThanOrEqual(terms);
    } finally {
      await own.stop();
    }
  }, 60_000);

  it('finds a run that is lost among tens of thousands that are kept within one pass, and lets it wait for its time', async () => {
    const own = await Service.start({ RECONCILE_EVERY_MS: '5000' });
    try {
      const client = own.client();
      const agent = await own.agent();
      const { runId } = await client.jobs.submit({ job: { name: 'job' }, delayMs: 3_600_000 });
      const { dueAt } = await client.runs.get({ runId });
      await own.redis.cli(
        'eval',
        `for i = 1, 60000 do
          redis.call('ZADD', '{commander}:runs:default', i, 'kept-' .. i)
          redis.call('ZADD', '{commander}:ended:default', i, 'kept-' .. i)
        end`,
        '0',
      );
      await own.redis.cli('zrem', '{commander}:due', `r|default|${runId}`);
      // Looked at from the oldest on, 2,000 in a pass, it would have taken two and a half minutes.
      const member = `r|default|${runId}`;
      const put = () => own.redis.cli('zscore', '{commander}:due', member);
      await eventually(async () => expect(await put()).toBe(String(dueAt)), { timeoutMs: 40_000 });
      // Nor does it begin before its time when it comes due by mistake.
      await own.redis.cli('zadd', '{commander}:due', '0', member);
      await client.jobs.submit({ job: { name: 'job' }, wait: true });
      await eventually(async () => expect(await put()).toBe(String(dueAt)));
      expect(await client.runs.get({ runId })).toMatchObject({ state: 'delayed', attempt: 0 });
      expect(agent.executeCount).toBe(1);
    } finally {
      await own.stop();
    }
  }, 60_000);

  it('neither it nor the ticks of other schedules are held back by one whose record is broken', async () => {
    const own = await Service.start({ RECONCILE_EVERY_MS: '500' });
    try {
      const client = own.client();
      const agent = await own.agent();
      for (const id of ['broken', 'torn', 'sound'])
        await client.schedules.upsert({ id, everyMs: 500, job: { name: 'job' } });
      const { runId } = await client.jobs.submit({ job: { name: 'job' }, delayMs: 3_600_000 });
      await own.redis.cli('hset', '{commander}:schedule:default:broken', 'spec', '{');
      // Neither one that is no hash at all, of a schedule or of a run.
      for (const record of ['schedule:default:torn', 'run:default:torn']) {
        await own.redis.cli('del', `{commander}:${record}`);
        await own.redis.cli('set', `{commander}:${record}`, 'text');
      }
      await own.redis.cli('zadd', '{commander}:runs:default', String(Date.now() + 60_000), 'torn');
      await own.redis.cli('zadd', '{commander}:due', '1', 'r|default|torn');
      const soundCount = () => agent.executed.filter(({ scheduleId }) => scheduleId === 'sound').length;
      const before = soundCount();
      await eventually(() => soundCount() >= before + 6);
      const member = `r|default|${runId}`;
      await own.redis.cli('zrem', '{commander}:due', member);
      await eventually(async () => expect(await own.redis.cli('zscore', '{commander}:due', member)).not.toBe(''));
      await eventually(async () => {
        for (const id of ['broken', 'torn']) expect(own.replicas[0]?.output()).toContain(`schedule default/${id}: `);
        expect(await own.redis.cli('zscore', '{commander}:due', 'r|default|torn')).toBe('');
      });
    } finally {
      await own.stop();
    }
  }, 60_000);

  it('finds a lost run after a list took what had expired out of the index of runs', async () => {
    const own = await Service.start({ RECONCILE_EVERY_MS: '500' });
    try {
      const client = own.client();
      const { runId } = await client.jobs.submit({ job: { name: 'job' }, delayMs: 3_600_000 });
      for (const index of ['runs', 'ended']) {
        await own.redis.cli('zadd', `{commander}:${index}:default`, '1', 'expired-1', '2', 'expired-2');
      }
      expect((await client.runs.list({})).items).toMatchObject([{ runId }]);
      expect(await own.redis.cli('zcard', '{commander}:runs:default')).toBe('1');
      const member = `r|default|${runId}`;
      await own.redis.cli('zrem', '{commander}:due', member);
      await eventually(async () => expect(await own.redis.cli('zscore', '{commander}:due', member)).not.toBe(''));
    } finally {
      await own.stop();
    }
  }, 60_000);
});
