import { CommandError } from '../../src/contract/command-error.js';
import { eventually } from '../support/eventually.js';
import { expectReply, Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ NO_AGENT_WAIT_MS: '5000', RUNS_KEPT_PER_SCHEDULE: '5', MAX_RESULT_BYTES: '2048' });
});
afterAll(() => service.stop());

/** A client and a namespace of its own for one test. */
function inNamespace(namespace: string) {
  return service.client({ namespace, requestTimeoutMs: 15_000 });
}

const fast = { maxAttempts: 3, backoff: 'fixed' as const, delayMs: 50 };

describe('job.submit', () => {
  it('answers at once, or with the result when asked to wait', async () => {
    const client = inNamespace('submit');
    await service.agent({ handler: ({ job }) => ({ echoed: job.payload }) }, undefined, 'submit');
    const { runId } = await client.jobs.submit({ job: { name: 'job', payload: [1, 'zwei', null] } });
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'));
    const run = await client.runs.get({ runId });
    expectReply('run.get', run);
    expect(run).toMatchObject({ attempt: 1, epoch: 1, result: { echoed: [1, 'zwei', null] } });
    const waited = await client.jobs.submit({ job: { name: 'job', payload: 'x' }, wait: true });
    expectReply('job.submit', waited);
    expect(waited).toMatchObject({ deduplicated: false, result: { echoed: 'x' } });
  });

  it('retries a failed attempt, on another agent if it can, and ends with the last error', async () => {
    const client = inNamespace('retry');
    const fail = () => {
      throw new Error('the site is down');
    };
    const agents = await Promise.all(
      ['a', 'b', 'c'].map((agentId) => service.agent({ agentId, handler: fail }, undefined, 'retry')),
    );
    await expect(client.jobs.submit({ job: { name: 'job' }, retry: fast, wait: true })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'the site is down',
    });
    expect(agents.map((agent) => agent.executeCount)).toEqual([1, 1, 1]);
    const [run] = (await client.runs.list({})).items;
    expect(run).toMatchObject({ state: 'failed', attempt: 3, maxAttempts: 3 });
    const keys = agents.flatMap((agent) => agent.executed.map(({ idempotencyKey }) => idempotencyKey));
    expect(new Set(keys).size).toBe(1);
    const epochs = agents.flatMap((agent) => agent.executed.map(({ epoch }) => epoch));
    expect(epochs.sort()).toEqual([1, 2, 3]);
  });

  it('does not retry what the handler calls final', async () => {
    const client = inNamespace('final');
    const agent = await service.agent(
      {
        handler: () => {
          throw new CommandError('INVALID_ARGUMENT', 'no such page');
        },
      },
      undefined,
      'final',
    );
    await expect(client.jobs.submit({ job: { name: 'job' }, retry: fast, wait: true })).rejects.toMatchObject({
      message: 'no such page',
    });
    expect(agent.executeCount).toBe(1);
  });

  it('times out an attempt whose agent is silent', async () => {
    const client = inNamespace('silent');
    const agent = await service.agent({}, undefined, 'silent');
    agent.behaviour = 'hang';
    const { runId } = await client.jobs.submit({ job: { name: 'job' }, timeoutMs: 1_000, retry: { maxAttempts: 1 } });
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('timed-out'));
    expect((await client.runs.get({ runId })).error).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      agentId: agent.agentId,
    });
  });

  it('waits for an agent, and fails with NO_AGENT when none comes', async () => {
    const client = inNamespace('late');
    const early = client.jobs.submit({ job: { name: 'job' }, wait: true });
    await eventually(async () =>
      expect((await client.runs.list({})).items[0]).toMatchObject({ state: 'waiting', error: { code: 'NO_AGENT' } }),
    );
    await service.agent({}, undefined, 'late');
    await expect(early).resolves.toMatchObject({ result: { ok: true } });

    const nobody = inNamespace('nobody');
    await expect(nobody.jobs.submit({ job: { name: 'job' }, wait: true })).rejects.toMatchObject({ code: 'NO_AGENT' });
  });

  it('starts a delayed run when its time has come', async () => {
    const client = inNamespace('delayed');
    const agent = await service.agent({}, undefined, 'delayed');
    const { runId } = await client.jobs.submit({ job: { name: 'job' }, delayMs: 2_000 });
    const before = await client.runs.get({ runId });
    expect(before.state).toBe('delayed');
    expect((before.dueAt as number) - before.createdAt).toBe(2_000);
    expect(agent.executeCount).toBe(0);
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'));
    const after = await client.runs.get({ runId });
    expect((after.startedAt as number) - after.createdAt).toBeGreaterThanOrEqual(2_000);
  });

  it('answers a repeated idempotency key with the first run, over all replicas', async () => {
    const client = inNamespace('idempotent');
    const agent = await service.agent({}, undefined, 'idempotent');
    const other = await service.addReplica();
    const elsewhere = service.client({ namespace: 'idempotent' }, other);
    const request = { job: { name: 'job' }, idempotencyKey: 'order-1' };
    const replies = await Promise.all(
      [client, elsewhere, client, elsewhere].map((which) => which.jobs.submit(request)),
    );
    expect(new Set(replies.map(({ runId }) => runId)).size).toBe(1);
    expect(replies.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    await eventually(async () => expect((await client.runs.get({ runId: replies[0].runId })).state).toBe('succeeded'));
    expect(agent.executed.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['order-1']);
  });

  it('waits for a run that executes on another replica', async () => {
    const client = inNamespace('elsewhere');
    await service.agent({}, undefined, 'elsewhere');
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, payload) => client.jobs.submit({ job: { name: 'job', payload }, wait: true })),
    );
    expect(replies.map(({ result }) => result)).toEqual(
      Array.from({ length: 20 }, () => expect.objectContaining({ ok: true }) as unknown),
    );
  });

  it('refuses a result that is too long', async () => {
    const client = inNamespace('long');
    await service.agent({ handler: () => 'x'.repeat(3_000) }, undefined, 'long');
    await expect(client.jobs.submit({ job: { name: 'job' }, wait: true })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('lets the result of one job that is far too long count against nobody but its run', async () => {
    const client = inNamespace('far-too-long');
    const tooLong = 'x'.repeat(20_000);
    await service.agent(
      { handler: ({ job }) => (job.payload === 'long' ? tooLong : 'short') },
      undefined,
      'far-too-long',
    );
    for (let count = 0; count < 6; count += 1) {
      const long = client.jobs.submit({ job: { name: 'job', payload: 'long' }, wait: true });
      await expect(long).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const [agent] = (await client.agents.list()).items;
    expect(agent).toMatchObject({ state: 'up' });
    expect(await client.jobs.submit({ job: { name: 'job' }, wait: true })).toMatchObject({ result: 'short' });
  });

  it('asks the only agent again while that refuses, as one that is being replaced does, and uses up no attempt', async () => {
    const client = inNamespace('replaced');
    const refuse = ({ epoch }: { epoch: number }) =>
      epoch <= 7 ? new CommandError('SHUTTING_DOWN', 'this agent takes no new run') : undefined;
    await service.agent({ refuse }, undefined, 'replaced');
    const once = { maxAttempts: 1 };
    const { runId } = await client.jobs.submit({ job: { name: 'job' }, retry: once, wait: true });
    expect(await client.runs.get({ runId })).toMatchObject({ state: 'succeeded', attempt: 1 });
  });

  it('gives up waiting at the deadline; the run goes on', async () => {
    const client = inNamespace('impatient');
    let finish: (value: string) => void = () => undefined;
    const agent = await service.agent(
      { handler: () => new Promise((resolve) => (finish = resolve)) },
      undefined,
      'impatient',
    );
    const refused = await client.jobs
      .submit({ job: { name: 'job' }, wait: true }, { deadlineMs: 1_000 })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await eventually(() => agent.activeCount === 1);
    finish('done');
    await eventually(async () =>
      expect((await client.runs.list({})).items[0]).toMatchObject({ state: 'succeeded', result: 'done' }),
    );
  });

  it('repeats an attempt whose agent died, under the same key, at another agent', async () => {
    const client = inNamespace('crash');
    const victim = await service.agent(
      { agentId: 'victim', handler: () => new Promise(() => undefined) },
      undefined,
      'crash',
    );
    const run = client.jobs.submit({ job: { name: 'job' }, retry: { maxAttempts: 1 }, wait: true });
    await eventually(() => victim.executeCount === 1);
    const heir = await service.agent({ agentId: 'heir' }, undefined, 'crash');
    await victim.die();
    await expect(run).resolves.toMatchObject({ result: { agentId: 'heir' } });
    expect(heir.executed[0]).toMatchObject({ attempt: 1, idempotencyKey: victim.executed[0].idempotencyKey });
    expect(heir.executed[0].epoch).toBeGreaterThan(victim.executed[0].epoch);
  });
});

describe('run.list', () => {
  it('pages newest first, filtered by schedule, state and agent, and forgets the oldest ended runs', async () => {
    const client = inNamespace('history');
    await service.agent({ agentId: 'h1' }, undefined, 'history');
    await client.schedules.upsert({ id: 'kept', cron: '0 0 1 1 *', job: { name: 'job' } });
    const runIds: string[] = [];
    for (let count = 0; count < 8; count += 1)
      runIds.push((await client.schedules.trigger({ id: 'kept', wait: true })).runId);
    const { runId: loose } = await client.jobs.submit({ job: { name: 'job' }, wait: true });

    const collected: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.runs.list({ limit: 2, cursor });
      expectReply('run.list', page);
      collected.push(...page.items.map(({ runId }) => runId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    // RUNS_KEPT_PER_SCHEDULE is 5.
    expect(collected).toEqual([loose, ...runIds.slice(-5).reverse()]);
    expect((await client.runs.list({ scheduleId: 'kept', limit: 500 })).items.map(({ runId }) => runId)).toEqual(
      runIds.slice(-5).reverse(),
    );
    expect((await client.runs.list({ agentId: 'h1' })).items).toHaveLength(6);
    expect((await client.runs.list({ agentId: 'nobody' })).items).toEqual([]);
    expect((await client.runs.list({ state: 'failed' })).items).toEqual([]);
    expect((await client.runs.list({ since: Date.now() + 60_000 })).items).toEqual([]);
    await expect(client.runs.get({ runId: runIds[0] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.runs.list({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

it('pages of long payloads end early, and lose nothing', async () => {
  const client = inNamespace('long-pages');
  const payload = 'x'.repeat(60_000);
  const runIds: string[] = [];
  for (let count = 0; count < 8; count += 1) {
    runIds.push((await client.jobs.submit({ job: { name: 'job', payload }, delayMs: 60_000 })).runId);
    await client.schedules.upsert({ id: `long-${count}`, cron: '0 0 1 1 *', job: { name: 'job', payload } });
  }
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.runs.list({ limit: 500, cursor });
    expect(page.items.length).toBeLessThan(5);
    listed.push(...page.items.map(({ runId }) => runId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(listed).toEqual(runIds.reverse());
  const schedules: string[] = [];
  do {
    const page = await client.schedules.list({ limit: 500, cursor });
    expect(page.items.length).toBeLessThan(5);
    schedules.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(schedules).toEqual(Array.from({ length: 8 }, (_, count) => `long-${count}`));
});

describe('run.cancel', () => {
  it('ends a running run, tells the agent, and drops its late answer', async () => {
    const client = inNamespace('cancel');
    let finish: (value: string) => void = () => undefined;
    const agent = await service.agent(
      { handler: () => new Promise((resolve) => (finish = resolve)) },
      undefined,
      'cancel',
    );
    const { runId } = await client.jobs.submit({ job: { name: 'job' } });
    await eventually(() => agent.executeCount === 1);
    expect(await client.runs.cancel({ runId, reason: 'changed my mind' })).toEqual({ state: 'cancelled' });
    await eventually(() => agent.cancelled.some((request) => request.runId === runId));
    finish('too late');
    const after = await client.jobs.submit({ job: { name: 'job' } });
    await eventually(() => agent.executeCount === 2);
    finish('second');
    await eventually(async () => expect((await client.runs.get({ runId: after.runId })).state).toBe('succeeded'));
    const run = await client.runs.get({ runId });
    expect(run).toMatchObject({
      state: 'cancelled',
      error: { code: 'CANCELLED', message: 'cancelled: changed my mind' },
    });
    expect(run.result).toBeUndefined();
    expect(await client.runs.cancel({ runId: after.runId })).toEqual({ state: 'succeeded' });
    await expect(client.runs.cancel({ runId: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends a delayed run before it starts, and the open runs of a removed schedule', async () => {
    const client = inNamespace('cancel-early');
    const agent = await service.agent({}, undefined, 'cancel-early');
    const { runId } = await client.jobs.submit({ job: { name: 'job' }, delayMs: 60_000 });
    expect(await client.runs.cancel({ runId })).toEqual({ state: 'cancelled' });
    agent.behaviour = 'hang';
    await client.schedules.upsert({ id: 'leaving', cron: '0 0 1 1 *', job: { name: 'job' } });
    const { runId: open } = await client.schedules.trigger({ id: 'leaving' });
    await eventually(() => agent.executeCount === 1);
    await client.schedules.remove({ id: 'leaving', cancelRunning: true });
    expect((await client.runs.get({ runId: open })).state).toBe('cancelled');
    expect(await service.redis.cli('zrange', '{commander}:due', '0', '-1')).not.toContain('cancel-early');
  });
});

describe('a record that is broken in Redis', () => {
  const recordOf = (namespace: string, runId: string) => `{commander}:run:${namespace}:${runId}`;
  const damage: Record<string, (record: string) => string[]> = {
    'a spec that is no JSON': (record) => ['hset', record, 'spec', '{'],
    'a spec without a job': (record) => ['hset', record, 'spec', '{}'],
    'no number': (record) => ['hset', record, 'epoch', 'x', 'enqueues', ''],
    'no error': (record) => ['hset', record, 'error', '{'],
    'no hash': (record) => ['set', record, 'text'],
  };

  it('is named beside the others, refused by its own commands, and can be cancelled', async () => {
    const client = inNamespace('broken');
    const job = { name: 'job' };
    const { runId: sound } = await client.jobs.submit({ job, delayMs: 3_600_000 });
    const runIds: string[] = [];
    for (const [what, command] of Object.entries(damage)) {
      const { runId } = await client.jobs.submit({ job, delayMs: 3_600_000 });
      runIds.push(runId);
      if (what === 'no hash') await service.redis.cli('del', recordOf('broken', runId));
      await service.redis.cli(...command(recordOf('broken', runId)));
    }
    const page = await client.runs.list({});
    expectReply('run.list', page);
    expect(page.items).toMatchObject([{ runId: sound }]);
    expect(page.broken?.map(({ runId }) => runId).sort()).toEqual([...runIds].sort());
    expect(await client.runs.list({ limit: 1 })).toMatchObject({
      items: [],
      broken: [{}],
      nextCursor: expect.any(String),
    });
    for (const runId of runIds) {
      await expect(client.runs.get({ runId })).rejects.toMatchObject({ code: 'BROKEN_RECORD' });
      await expect(client.runs.retry({ runId })).rejects.toMatchObject({ code: 'BROKEN_RECORD' });
    }
    const noRun = runIds.pop() as string;
    await expect(client.runs.cancel({ runId: noRun })).rejects.toMatchObject({ code: 'BROKEN_RECORD' });
    for (const runId of runIds) {
      expect(await client.runs.cancel({ runId })).toEqual({ state: 'cancelled' });
      expect(await service.redis.cli('zscore', '{commander}:due', `r|broken|${runId}`)).toBe('');
    }
    await service.redis.cli('del', recordOf('broken', noRun));
    await client.runs.list({});
    expect(await service.redis.cli('zscore', '{commander}:runs:broken', noRun)).toBe('');
  });

  it('ends its run when that comes due, and holds up no other', async () => {
    const client = inNamespace('broken-due');
    await service.agent({}, undefined, 'broken-due');
    const records: { record: string; member: string; isHash: boolean }[] = [];
    for (const command of Object.values(damage)) {
      // Due in an hour, so that it is broken before it begins.
      const { runId } = await client.jobs.submit({ job: { name: 'job' }, delayMs: 3_600_000 });
      const record = recordOf('broken-due', runId);
      const isHash = command(record)[0] === 'hset';
      if (isHash) await service.redis.cli('hset', record, 'dueAt', '1');
      else await service.redis.cli('del', record);
      await service.redis.cli(...command(record));
      records.push({ record, member: `r|broken-due|${runId}`, isHash });
    }
    await service.redis.cli('zadd', '{commander}:due', ...records.flatMap(({ member }) => ['1', member]));
    await client.jobs.submit({ job: { name: 'job' }, wait: true });
    for (const { record, member, isHash } of records) {
      await eventually(async () => expect(await service.redis.cli('zscore', '{commander}:due', member)).toBe(''));
      if (isHash) expect(await service.redis.cli('hget', record, 'state')).toBe('failed');
    }
    const output = service.replicas.map((replica) => replica.output()).join('');
    expect(output).toContain('in Redis is broken: its spec is no JSON; it is ended');
  });

  it('of a result is named, and replaced by the next good run', async () => {
    const client = inNamespace('broken-result');
    await service.agent({}, undefined, 'broken-result');
    const next = (key: string) => client.jobs.submit({ job: { name: 'job' }, resultKey: key, wait: true });
    const resultOf = (key: string) => `{commander}:result:broken-result:${key}`;
    for (const key of ['no-hash', 'no-value', 'no-number']) await next(key);
    await service.redis.cli('del', resultOf('no-hash'));
    await service.redis.cli('set', resultOf('no-hash'), 'text');
    await service.redis.cli('hset', resultOf('no-value'), 'value', '{');
    await service.redis.cli('hset', resultOf('no-number'), 'tickAt', 'x');
    const page = await client.results.list({});
    expectReply('result.list', page);
    expect(page.items.map(({ key }) => key)).toEqual(['no-value']);
    expect(page.broken?.map(({ key }) => key)).toEqual(['no-hash', 'no-number']);
    for (const key of ['no-hash', 'no-value', 'no-number']) {
      await expect(client.results.get({ key })).rejects.toMatchObject({ code: 'BROKEN_RECORD' });
      await next(key);
      expectReply('result.get', await client.results.get({ key }));
    }
    expect((await client.results.list({})).broken).toBeUndefined();
  });
});

describe('results', () => {
  it('only move forward: a failure keeps the last good value and makes it stale', async () => {
    const client = inNamespace('results');
    let fails = false;
    await service.agent(
      {
        handler: ({ job }) => {
          if (fails) throw new Error('down');
          return { items: [{ title: String(job.payload) }] };
        },
      },
      undefined,
      'results',
    );
    const submit = (payload: string) =>
      client.jobs.submit({ job: { name: 'job', payload }, resultKey: 'list', retry: { maxAttempts: 1 }, wait: true });
    await submit('first');
    expect(await client.results.get({ key: 'list' })).toMatchObject({
      value: { items: [{ title: 'first' }] },
      version: 1,
      stale: false,
    });
    fails = true;
    await expect(submit('second')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await client.results.get({ key: 'list' })).toMatchObject({
      value: { items: [{ title: 'first' }] },
      version: 1,
      stale: true,
    });
    fails = false;
    await submit('third');
    expect(await client.results.get({ key: 'list', field: 'items.0.title' })).toMatchObject({
      value: 'third',
      version: 2,
      stale: false,
    });
    await expect(client.results.get({ key: 'list', field: 'items.7.title' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(client.results.get({ key: 'list', field: 'constructor' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(client.results.get({ key: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const page = await client.results.list({});
    expectReply('result.list', page);
    expect(page.items.map(({ key }) => key)).toEqual(['list']);
  });

  it('an older run that ends later does not overwrite a newer value', async () => {
    const client = inNamespace('order');
    const release = new Map<string, (value: string) => void>();
    const agent = await service.agent(
      { handler: ({ job }) => new Promise((resolve) => release.set(job.payload as string, resolve)) },
      undefined,
      'order',
    );
    const older = await client.jobs.submit({ job: { name: 'job', payload: 'older' }, resultKey: 'r' });
    await eventually(() => agent.executeCount === 1);
    const newer = await client.jobs.submit({ job: { name: 'job', payload: 'newer' }, resultKey: 'r' });
    await eventually(() => agent.executeCount === 2);
    release.get('newer')?.('new value');
    await eventually(async () => expect((await client.runs.get({ runId: newer.runId })).state).toBe('succeeded'));
    release.get('older')?.('old value');
    await eventually(async () => expect((await client.runs.get({ runId: older.runId })).state).toBe('succeeded'));
    expect(await client.results.get({ key: 'r' })).toMatchObject({ value: 'new value', version: 1 });
  });
});

describe('system', () => {
  it('tells health and statistics as the contract says', async () => {
    const client = service.client();
    await eventually(async () => {
      const health = await client.system.health({});
      expectReply('system.health', health);
      expect(health.status).toBe('ok');
    });
    const stats = await client.system.stats({});
    expectReply('system.stats', stats);
    expect(stats.dispatch.totalCount).toBeGreaterThan(0);
  });
});

it('each attempt of a run may lose its agent five times', async () => {
  // An agent that fails so often is left alone for a while.
  const patient = await Service.start({ NO_AGENT_WAIT_MS: '120000' });
  try {
    const agent = await patient.agent({
      handler: ({ attempt }) => {
        if (attempt === 1) throw new Error('not this time');
        return 'ok';
      },
    });
    // Three times in each of two attempts.
    Object.defineProperty(agent, 'behaviour', {
      get: () => (agent.executeCount % 4 === 0 ? 'answer' : 'disconnect'),
    });
    const client = patient.client();
    const { runId } = await client.jobs.submit({
      job: { name: 'job' },
      retry: { maxAttempts: 2, backoff: 'fixed', delayMs: 100 },
    });
    await eventually(async () => expect((await client.runs.get({ runId })).finishedAt).toBeDefined(), {
      timeoutMs: 80_000,
    });
    expect(await client.runs.get({ runId })).toMatchObject({ state: 'succeeded', attempt: 2, result: 'ok' });
    expect(agent.executeCount).toBe(8);
  } finally {
    await patient.stop();
  }
}, 120_000);
