import type { CommandName } from '../../src/contract/commands.js';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import { eventually } from '../support/eventually.js';
import { expectReply, Service } from '../support/service.js';
import { type CliRunOptions, type Ended, runCli } from './support/cli-process.js';
import { tableRows } from './support/columns.js';

jest.setTimeout(120_000);

let service: Service;
let client: CommanderClient;

beforeAll(async () => {
  service = await Service.start({ MAX_FRAME_BYTES: '163840' });
  client = service.client();
  await service.agent({
    agentId: 'crawler-1',
    labels: { region: 'eu' },
    capabilities: ['crawl', 'fail'],
    handler: ({ job }) => {
      if (job.name === 'fail') throw new Error('selector \u001b[31mbroken\nfor good');
      return { read: job.payload };
    },
  });
  await client.schedules.upsert({
    id: 'front-page',
    cron: '0 3 29 2 *',
    timezone: 'Europe/Berlin',
    job: { name: 'crawl', payload: { url: 'https://example.org' } },
    tags: ['news'],
    resultKey: 'front-page',
  });
  await client.schedules.upsert({ id: 'sitemap', everyMs: 86_400_000, job: { name: 'crawl' }, enabled: false });
});
afterAll(() => service.stop());

/** Runs a command against the service. */
function cli(line: string, options?: CliRunOptions): Promise<Ended> {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
  return runCli(['--port', String(service.replicas[0].tcpPort), ...words], options);
}

async function printed(line: string, options?: CliRunOptions): Promise<string> {
  const { code, stdout, stderr } = await cli(line, options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** What `--json` prints: one line, which is a reply of the contract. */
async function reply(name: CommandName, line: string): Promise<any> {
  const stdout = await printed(`${line} --json`);
  expect(stdout).toMatch(/^.+\n$/);
  const value = JSON.parse(stdout) as unknown;
  expectReply(name, value);
  return value;
}

describe('schedules', () => {
  it('lists them as a table, also when no subcommand is said', async () => {
    // Both tell how long it is until then, which may change between them.
    const bare = await eventually(async () => {
      const [unsaid, said] = await Promise.all([printed('schedules'), printed('schedules list')]);
      expect(unsaid).toBe(said);
      return unsaid;
    });
    expect(tableRows(bare)).toEqual([
      expect.objectContaining({
        SCHEDULE: 'front-page',
        STATE: 'active',
        TIMING: '0 3 29 2 * Europe/Berlin',
        NEXT: expect.stringMatching(/^in \d+ d( \d+ h)?$/),
        JOB: 'crawl',
        TAGS: 'news',
      }),
      expect.objectContaining({ SCHEDULE: 'sitemap', STATE: 'paused', TIMING: 'every 1 d', NEXT: '–', TAGS: '–' }),
    ]);
    expect(bare).not.toContain('\u001b');
  });

  it('shows UTC beside the relative times when asked to', async () => {
    const { nextRunAt } = await client.schedules.get({ id: 'front-page' });
    const [row] = tableRows(await printed('schedules --utc'));
    expect(row.NEXT).toMatch(/^\S+Z \(in .+\)$/);
    expect(row.NEXT.split(' ')[0]).toBe(new Date(nextRunAt!).toISOString());
  });

  it('prints with --json what the contract replies', async () => {
    expect(await reply('schedule.list', 'schedules')).toEqual(await client.schedules.list({}));
    expect(await reply('schedule.get', 'schedules get sitemap')).toEqual(await client.schedules.get({ id: 'sitemap' }));
  });

  it('tells of a record that is broken in Redis, beside the others', async () => {
    const record = '{commander}:schedule:default:torn';
    await service.redis.cli('zadd', '{commander}:schedules:default', '0', 'torn');
    await service.redis.cli('set', record, 'text');
    try {
      const { code, stdout, stderr } = await cli('schedules');
      expect(code).toBe(0);
      expect(tableRows(stdout)).toHaveLength(2);
      expect(stderr).toBe('the record of torn in Redis is broken: its key is no hash\n');
      const json = JSON.parse((await cli('schedules --json')).stdout) as unknown;
      expectReply('schedule.list', json);
      expect(json).toMatchObject({ broken: [{ id: 'torn' }] });
    } finally {
      await client.schedules.remove({ id: 'torn' });
    }
  });

  it('filters by tag and by enabled', async () => {
    const [tagged, disabled, enabled] = await Promise.all([
      reply('schedule.list', 'schedules --tag news'),
      reply('schedule.list', 'schedules --enabled no'),
      reply('schedule.list', 'schedules --enabled yes'),
    ]);
    const ids = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id);
    expect([tagged, disabled, enabled].map(ids)).toEqual([['front-page'], ['sitemap'], ['front-page']]);
  });

  it('tells everything about one', async () => {
    const text = await printed('schedules get front-page');
    expect(text).toMatch(/^schedule +front-page\nstate +active\n/);
    expect(text).toMatch(/\nnext +\S+Z \(in .+\)\n/);
    expect(text).toContain('\npayload\n  {\n    "url": "https://example.org"\n  }\n');
  });

  it('pauses with a reason and resumes', async () => {
    await client.schedules.upsert({ id: 'paused', cron: '0 3 29 2 *', job: { name: 'crawl' } });
    const text = await printed(`schedules pause paused --reason 'site is down'`);
    expect(text).toMatch(/\nstate +paused\n/);
    expect(text).toMatch(/\nreason +site is down\n/);
    expect(await client.schedules.get({ id: 'paused' })).toMatchObject({
      state: 'paused',
      pausedReason: 'site is down',
    });
    const resumed = await reply('schedule.resume', 'schedules resume paused --catch-up');
    expect(resumed).toEqual(await client.schedules.get({ id: 'paused' }));
    expect(resumed.state).toBe('active');
  });

  it('triggers, waits and prints the result', async () => {
    const text = await printed(`schedules trigger front-page --wait --payload '{"page":2}' --agent crawler-1`);
    expect(text).toMatch(/^run +\S+\n\nresult\n {2}\{\n {4}"read": \{\n {6}"page": 2\n/);
  });

  it('answers a second trigger with the same key with the run of the first', async () => {
    const first = await reply('schedule.trigger', 'schedules trigger front-page --key once');
    const again = await reply('schedule.trigger', 'schedules trigger front-page --key once');
    expect(first.deduplicated).toBe(false);
    expect(again).toMatchObject({ runId: first.runId, deduplicated: true });
  });

  it('removes, and says so when there was nothing to remove', async () => {
    await client.schedules.upsert({ id: 'doomed', cron: '0 3 29 2 *', job: { name: 'crawl' } });
    expect(await printed('schedules remove doomed')).toBe('doomed is removed\n');
    await expect(client.schedules.get({ id: 'doomed' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await printed('schedules remove doomed --cancel-running')).toBe('there was no schedule doomed\n');
  });

  it('previews a timing and a stored schedule', async () => {
    const timing = `--cron '30 2 * * *' --timezone Europe/Berlin --from 2026-03-28T00:00:00Z --count 3`;
    const asked = await reply('schedule.preview', `schedules preview ${timing}`);
    expect(asked).toEqual(
      await client.schedules.preview({
        cron: '30 2 * * *',
        timezone: 'Europe/Berlin',
        from: '2026-03-28T00:00:00Z',
        count: 3,
      }),
    );
    const text = await printed(`schedules preview ${timing}`);
    for (const at of asked.runs) expect(text).toContain(new Date(at).toISOString());
    // The clocks skip that half hour in between.
    for (const { code } of asked.warnings) expect(text).toContain(code);
    expect(asked.warnings.length).toBeGreaterThan(0);

    const { nextRunAt } = await client.schedules.get({ id: 'front-page' });
    expect((await reply('schedule.preview', 'schedules preview front-page --count 1')).runs).toEqual([nextRunAt]);
  });

  it('sends a file as long as the service takes, when told how long that is', async () => {
    const records = Array.from({ length: 900 }, (_, index) => {
      return { id: `long-${index}`, everyMs: 86_400_000, job: { name: 'crawl', payload: 'x'.repeat(100) } };
    });
    const set = { input: JSON.stringify(records) };
    const refused = await cli('schedules sync - --owner long --dry-run', set);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/more than 131072/) });
    const dry = await printed('schedules sync - --owner long --dry-run --max-frame 163840', set);
    expect(dry).toContain('long-899');
  });

  it('syncs from standard input: difference first, then the change, then nothing more to do', async () => {
    const record = (id: string, cron = '0 4 * * *') => ({ id, cron, job: { name: 'crawl' } });
    const set = { input: JSON.stringify([record('set-a'), record('set-b')]) };
    const dry = await printed('schedules sync - --owner crawlers --dry-run', set);
    expect(dry).toMatch(/^would create +2: set-a, set-b\nwould update +0\nwould remove +0\nunchanged +0\n$/);
    await expect(client.schedules.get({ id: 'set-a' })).rejects.toMatchObject({ code: 'NOT_FOUND' });

    expect(await printed('schedules sync - --owner crawlers', set)).toMatch(/^created +2: set-a, set-b\n/);
    expect(await client.schedules.get({ id: 'set-a' })).toMatchObject({ owner: 'crawlers', cron: '0 4 * * *' });

    const changed = { input: JSON.stringify({ records: [record('set-b', '0 5 * * *')] }) };
    expect(await printed('schedules sync - --owner crawlers --prune', changed)).toMatch(
      /^created +0\nupdated +1: set-b\nremoved +1: set-a\nunchanged +0\n$/,
    );
    const { code, stdout } = await cli('schedules sync - --owner crawlers --json', changed);
    expect({ code, ...JSON.parse(stdout) }).toEqual({
      code: 0,
      created: [],
      updated: [],
      unchanged: ['set-b'],
      removed: [],
    });
  });
});

describe('runs', () => {
  let goodRun: string;
  let badRun: string;
  beforeAll(async () => {
    const submit = (name: string) =>
      client.jobs.submit({ job: { name, payload: name }, retry: { maxAttempts: 1 }, resultKey: `key-${name}` });
    goodRun = (await submit('crawl')).runId;
    badRun = (await submit('fail')).runId;
    await eventually(async () => {
      const states = await Promise.all([goodRun, badRun].map((runId) => client.runs.get({ runId })));
      return states.every(({ finishedAt }) => finishedAt !== undefined);
    });
  });

  it('lists them, with errors in one harmless line', async () => {
    const text = await printed('runs list --since 1h');
    const rows = tableRows(text);
    expect(rows).toContainEqual(
      expect.objectContaining({ RUN: goodRun, STATE: 'succeeded', ATTEMPT: '1/1', AGENT: 'crawler-1', JOB: 'crawl' }),
    );
    expect(rows).toContainEqual(
      expect.objectContaining({ RUN: badRun, STATE: 'failed', ERROR: expect.stringContaining('selector') }),
    );
    expect(text).not.toContain('\u001b');
  });

  it('filters', async () => {
    const filters = [
      '--state failed',
      '--dead',
      '--agent crawler-1',
      '--schedule nobody',
      '--since 2100-01-01T00:00:00Z',
    ];
    const lists = await Promise.all(filters.map((filter) => reply('run.list', `runs ${filter}`)));
    const ids = lists.map(({ items }) => items.map(({ runId }: { runId: string }) => runId));
    expect(ids[0]).toEqual([badRun]);
    expect(ids[1]).toEqual([badRun]);
    expect(ids[2]).toEqual(expect.arrayContaining([goodRun, badRun]));
    expect(ids.slice(3)).toEqual([[], []]);
    expect(await printed('runs --schedule nobody')).toBe('no runs\n');
  });

  it('follows the pages up to --limit, and says when there is more', async () => {
    const namespace = 'many';
    const many = service.client({ namespace });
    const ids = new Set<string>();
    for (let at = 0; at < 7; at += 1) {
      ids.add((await many.jobs.submit({ job: { name: 'crawl' }, delayMs: 86_400_000 })).runId);
    }
    const some = await cli(`runs --namespace ${namespace} --limit 5`);
    expect(some.code).toBe(0);
    expect(tableRows(some.stdout)).toHaveLength(5);
    expect(some.stderr).toMatch(/^5 shown, there may be more: .*--cursor '(.+)'\n$/);

    const [, cursor] = /--cursor '(.+)'/.exec(some.stderr)!;
    const rest = await cli(`runs --namespace ${namespace} --cursor '${cursor}'`);
    expect(rest.stderr).toBe('');
    const shown = [some, rest].flatMap(({ stdout }) => tableRows(stdout).map(({ RUN }) => RUN));
    expect(new Set(shown)).toEqual(ids);
    expect(shown).toHaveLength(7);

    const page = await reply('run.list', `runs --namespace ${namespace} --limit 5`);
    expect(page).toEqual(await many.runs.list({ limit: 5 }));
    expect(page.nextCursor).toBe(cursor);
  });

  it('tells everything about one', async () => {
    expect(await reply('run.get', `runs get ${badRun}`)).toEqual(await client.runs.get({ runId: badRun }));
    const text = await printed(`runs get ${goodRun}`);
    expect(text).toMatch(new RegExp(`^run +${goodRun}\\nstate +succeeded\\n`));
    expect(text).toContain('\nresult\n  {\n    "read": "crawl"\n  }\n');
  });

  it('retries one that failed and cancels one that waits', async () => {
    const retried = await reply('run.retry', `runs retry ${badRun} --on-other-agent`);
    expect(await client.runs.get({ runId: retried.runId })).toMatchObject({ job: { name: 'fail' } });

    const { runId } = await client.jobs.submit({ job: { name: 'crawl' }, delayMs: 86_400_000 });
    expect(await printed(`runs cancel ${runId} --reason 'not needed'`)).toBe(`${runId} is cancelled\n`);
    expect(await client.runs.get({ runId })).toMatchObject({ state: 'cancelled' });
  });

  it('keeps namespaces apart', async () => {
    expect(await printed('runs --namespace empty')).toBe('no runs\n');
    expect(await printed('schedules --namespace empty')).toBe('no schedules\n');
  });

  it('shows results: keys, and the value of one', async () => {
    expect(await reply('result.list', 'results')).toEqual(await client.results.list({}));
    expect(tableRows(await printed('results'))).toContainEqual(
      expect.objectContaining({ KEY: 'key-crawl', VERSION: '1', RUN: goodRun }),
    );
    expect(await reply('result.get', 'results get key-crawl')).toEqual(await client.results.get({ key: 'key-crawl' }));
    expect((await reply('result.get', 'results get key-crawl --field read')).value).toBe('crawl');
    expect(await printed('results get key-crawl')).toMatch(
      /^key +key-crawl\n[^]*\nvalue\n {2}\{\n {4}"read": "crawl"\n/,
    );
  });
});

describe('agents', () => {
  it('lists them, drains one and takes it back', async () => {
    const [row] = tableRows(await printed('agents'));
    expect(row).toMatchObject({ AGENT: 'crawler-1', STATE: 'up', JOBS: 'crawl, fail', LABELS: 'region=eu' });
    expect(row.BUSY).toMatch(/^\d+\/10$/);

    expect(await reply('agent.drain', 'agents drain crawler-1')).toMatchObject({ state: 'draining' });
    expect((await reply('agent.list', 'agents --state draining')).items).toHaveLength(1);
    expect(tableRows(await printed('agents undrain crawler-1'))).toMatchObject([{ AGENT: 'crawler-1', STATE: 'up' }]);
    expect(await printed('agents --state draining')).toBe('no agents\n');
  });
});

describe('explain', () => {
  let tickAt: number;
  let pausedAt: number;
  beforeAll(async () => {
    await client.schedules.upsert({ id: 'often', everyMs: 500, job: { name: 'crawl' } });
    tickAt = await eventually(async () => {
      const { lastRun } = await client.schedules.get({ id: 'often' });
      return lastRun?.state === 'succeeded' && lastRun.tickAt !== undefined && lastRun.tickAt;
    });
    const paused = await client.schedules.pause({ id: 'often', reason: 'enough' });
    pausedAt = paused.pausedAt!;
  });

  it.each([
    ['ISO 8601', () => new Date(tickAt).toISOString()],
    ['milliseconds', () => String(tickAt)],
  ])('tells what became of a due time given as %s', async (_how, at) => {
    expect(await reply('schedule.explain', `explain often ${at()}`)).toEqual(
      await client.schedules.explain({ id: 'often', at: tickAt }),
    );
    const text = await printed(`explain often ${at()}`);
    expect(text).toMatch(/\noutcome +(fired|late)\nbecause +/);
    expect(text).toMatch(/\nAGENT +WHY\n|\nAGENT +.*\ncrawler-1 +chosen/);
  });

  it('finds the last due time by itself', async () => {
    // Paused since, so one that came later was nobody's.
    await eventually(() => Date.now() > pausedAt + 500);
    const paused = await printed('explain often last');
    expect(paused).toMatch(/\noutcome +skipped\nbecause +the schedule is paused: enough/);

    await client.schedules.upsert({ id: 'now-and-then', everyMs: 3_000, job: { name: 'crawl' } });
    const latest = await eventually(
      async () => (await client.schedules.get({ id: 'now-and-then' })).lastRun?.tickAt ?? false,
    );
    // One that is due this very moment has no outcome yet.
    const text = await eventually(async () => {
      const told = await printed('explain now-and-then last');
      expect(told).toMatch(/\noutcome +(fired|late)\n/);
      return told;
    });
    const [, due] = /\ndue +(\S+) /.exec(text)!;
    expect(Date.parse(due)).toBeGreaterThanOrEqual(latest);
    expect(Date.parse(due) % 3_000).toBe(0);
  });

  it('says so when there was no due time yet', async () => {
    const { code, stderr } = await cli('explain front-page last');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'NOT_FOUND: schedule front-page has not been due since it was created\n',
    });
  });
});

describe('health and stats', () => {
  it('tells whether the replica serves', async () => {
    await eventually(async () => expect(await reply('system.health', 'health')).toEqual(await client.system.health()));
    const [status, , ...checks] = (await printed('health')).split('\n');
    expect(status).toBe('status  ok');
    expect(tableRows(checks.join('\n'))).toContainEqual({ CHECK: 'redis', STATUS: 'up' });
  });

  it('tells what the replica is doing', async () => {
    expect(await reply('system.stats', 'stats')).toMatchObject({ connections: { agentCount: 1 } });
    expect(await printed('stats')).toMatch(/\nconnections +\d+ of \d+, 1 to agents\n/);
  });
});
