// `npm run demo`: examples/hot-list from end to end. Commander with a Redis of its own, the example's sites, two agents and the API,
// each a process; then one agent is killed. Ends by itself; exit code 1 if anything expected did not happen.
import { randomBytes } from 'node:crypto';
import { eventually } from './demo/eventually.mjs';
import { buildExample } from './demo/example-build.mjs';
import { RunWatch, succeededBy } from './demo/run-watch.mjs';
import { Stage } from './demo/stage.mjs';
import { heading, showList, showRun } from './demo/view.mjs';
import { Failure, runMain } from './lib/failure.mjs';
import { setUp } from './lib/set-up.mjs';

const EVERY_MS = 2_000;
const KEYS = ['news', 'board', 'videos'];
const EXAMPLE = 'examples/hot-list';

await runMain(async () => {
  // `--built`: takes dist/ as it is.
  if (!process.argv.includes('--built')) await setUp();
  await buildExample(EXAMPLE, ['agent', 'api', 'sites']);
  await new Stage().play(
    show,
    `Read ${EXAMPLE} for the two apps behind this; \`npm start\` starts a commander for your own.`,
  );
});

async function show(stage) {
  const { expectations } = stage;
  const start = (...actor) => stage.start(...actor);
  const redisUrl = stage.redis.url;
  const token = randomBytes(16).toString('hex');
  heading('Starting');
  const commander = start('commander', 'dist/main.js', {
    ...{ TCP_PORT: '0', HTTP_PORT: '0', REDIS_URL: redisUrl, REDIS_MODE: '', REDIS_NODES: '', COMMANDER_TOKEN: token },
    // A killed agent is to be missed within the demo.
    ...{ AGENT_LEASE_MS: '3000', AGENT_HEARTBEAT_EVERY_MS: '500', LOG_LEVEL: 'warn' },
  });
  const sites = start('sites', `${EXAMPLE}/dist/sites/main.js`, { SITES_PORT: '0' });
  const [{ tcp, http }, { url: sitesUrl }] = await Promise.all([commander.started(), sites.started()]);
  const address = { COMMANDER_HOST: '127.0.0.1', COMMANDER_PORT: String(tcp.port), COMMANDER_TOKEN: token };
  const agents = ['crawler-1', 'crawler-2'].map((name) =>
    start(name, `${EXAMPLE}/dist/agent/main.js`, { ...address, AGENT_ID: name }),
  );
  const api = start('api', `${EXAMPLE}/dist/api/main.js`, {
    ...address,
    ...{ API_PORT: '0', SITES: '', SITES_URL: sitesUrl, EVERY_MS: String(EVERY_MS) },
  });
  const [{ url: apiUrl }] = await Promise.all([api.started(), ...agents.map((agent) => agent.started())]);
  console.log(`  commander  TCP 127.0.0.1:${tcp.port}, HTTP http://127.0.0.1:${http.port}`);
  console.log(`  Redis      ${redisUrl}`);
  console.log(`  sites      ${KEYS.map((key) => `${sitesUrl}/${key}`).join('  ')}`);
  console.log(`  agents     ${agents.map(({ name, pid }) => `${name} (process ${pid})`).join(', ')}`);
  console.log(`  API        ${apiUrl}/lists`);

  const { CommanderClient } = await import('mu-commander/client');
  const client = new CommanderClient({ port: tcp.port, token });
  stage.beforeTheEnd(() => client.close());

  heading(`Schedules that the API has declared (every ${EVERY_MS / 1_000} s)`);
  const schedules = await eventually(async () => {
    const { items } = await client.schedules.list({ tag: 'hot-list' });
    return items.length === KEYS.length ? items : undefined;
  }, 30_000);
  for (const { id, state, nextRunAt, job } of schedules ?? []) {
    console.log(
      `  ${id.padEnd(16)} ${state}, next ${new Date(nextRunAt).toISOString().slice(11, 23)}, ${job.name} ${job.payload.url}`,
    );
  }
  expectations.expect(
    'the API declared three schedules through CommanderClient',
    schedules?.every(({ state }) => state === 'active'),
  );

  heading('Runs');
  const watch = new RunWatch(client, showRun);
  const bothWork = await watch.until((runs) => {
    const bySchedule = succeededBy(runs, 'scheduleId');
    const byAgent = succeededBy(runs, 'agentId');
    return KEYS.every((key) => bySchedule[`hot-list-${key}`] >= 3) && agents.every(({ name }) => byAgent[name] >= 2);
  }, 60_000);
  expectations.expect('each site was crawled three times, and both agents had their share', bothWork);

  heading(`What the API serves (GET ${apiUrl}/lists/…)`);
  const before = await fetchLists(apiUrl);
  for (const list of before) showList(list);
  expectations.expect(
    'the API served three lists with titles',
    before.every(({ items, stale }) => items.length >= 8 && !stale),
  );

  heading(`SIGKILL to ${agents[0].name}`);
  const killedAt = Date.now();
  await agents[0].kill();
  const survives = await watch.until((runs) => {
    const since = runs.filter(({ startedAt }) => startedAt > killedAt + EVERY_MS);
    const bySchedule = succeededBy(since, 'scheduleId');
    return KEYS.every((key) => bySchedule[`hot-list-${key}`] >= 2);
  }, 60_000);
  const after = watch.ended.filter(({ finishedAt, state }) => finishedAt > killedAt && state === 'succeeded');
  const survivor = agents[1].name;
  expectations.expect(
    `runs went on: ${after.length} after the kill, all on ${survivor}`,
    survives && after.every(({ agentId, startedAt }) => agentId === survivor || startedAt <= killedAt),
  );
  const unwell = watch.ended.filter(({ state }) => state !== 'succeeded');
  expectations.expect(`of ${watch.ended.length} runs none failed`, unwell.length === 0);

  const isDown = await eventually(async () => {
    const { items } = await client.agents.list();
    const states = Object.fromEntries(items.map(({ agentId, state }) => [agentId, state]));
    return states[agents[0].name] === 'down' && states[survivor] === 'up' ? items : undefined;
  }, 30_000);
  heading('Agents');
  for (const { agentId, state, capacity, host, port } of isDown ?? (await client.agents.list()).items) {
    console.log(`  ${agentId.padEnd(10)} ${state.padEnd(5)} ${host}:${port}, capacity ${capacity}`);
  }
  expectations.expect(`commander sees ${agents[0].name} down and ${survivor} up`, isDown);

  heading('The lists now, with how the titles have moved');
  const now = await fetchLists(apiUrl);
  now.forEach((list, index) => showList(list, before[index]));
  expectations.expect(
    'every list is newer than before the kill',
    now.every(({ version, storedAt }, index) => version > before[index].version && Date.parse(storedAt) > killedAt),
  );
  const order = ({ items }) => items.map(({ key }) => key).join();
  expectations.expect(
    'the ranking has changed',
    now.some((list, index) => order(list) !== order(before[index])),
  );
}

async function fetchLists(apiUrl) {
  return Promise.all(
    KEYS.map(async (key) => {
      const response = await fetch(`${apiUrl}/lists/${key}`);
      if (!response.ok)
        throw new Failure(`GET ${apiUrl}/lists/${key}: HTTP ${response.status} ${await response.text()}`);
      return response.json();
    }),
  );
}
