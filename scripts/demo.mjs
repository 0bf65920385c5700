// `npm run demo`: examples/hot-list from end to end. Commander with a Redis of its own, the example's sites, two agents and the API,
// each a process; then one agent is killed. Ends by itself; exit code 1 if anything expected did not happen.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Actor } from './demo/actor.mjs';
import { Expectations } from './demo/expectations.mjs';
import { RunWatch, succeededBy } from './demo/run-watch.mjs';
import { heading, showList, showRun } from './demo/view.mjs';
import { inCheckout } from './lib/checkout.mjs';
import { Failure, runMain, say } from './lib/failure.mjs';
import { Guardian } from './lib/guardian.mjs';
import { startLocalRedis } from './lib/local-redis.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { exitCodeOf, runProgram } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';
import { hashOf, isStamped, writeStamp } from './lib/stamp.mjs';
import { onStopSignal } from './lib/stop-signals.mjs';

const EVERY_MS = 2_000;
const KEYS = ['news', 'board', 'videos'];
const EXAMPLE = 'examples/hot-list';

await runMain(async () => {
  // `--built`: takes dist/ as it is.
  if (!process.argv.includes('--built')) await setUp();
  await buildExample();

  const guardian = new Guardian();
  const actors = [];
  let redis;
  let client;
  const guardAll = () =>
    guardian.guard(
      ...actors.filter(({ end }) => end === undefined).map(({ pid }) => pid),
      ...(redis ? [redis.pid] : []),
    );
  const start = (name, file, env) => {
    const actor = new Actor(name, inCheckout(file), env);
    actors.push(actor);
    guardAll();
    return actor;
  };
  let tidyingUp;
  /** Last started, first stopped: commander after those who use it, Redis after commander. Returns who had to be killed. */
  const tidyUp = () => {
    tidyingUp ??= (async () => {
      const late = [];
      await client?.close();
      for (const actor of [...actors].reverse()) if (!(await actor.stop())) late.push(actor.name);
      await redis?.stop();
      if (redis) await rm(redis.dataDir, { recursive: true, force: true });
      guardian.release();
      return late;
    })();
    return tidyingUp;
  };
  onStopSignal((signal, count) => {
    if (count > 1) process.exit(exitCodeOf(signal));
    void tidyUp().then(() => process.exit(exitCodeOf(signal)));
  });

  const expectations = new Expectations();
  try {
    // Data of its own: a demo leaves no schedules in the Redis of `npm start`.
    redis = await startLocalRedis(await ensureRedisBinary(), `demo-${process.pid}`);
    guardAll();
    await show({ start, redisUrl: redis.url, expectations, keep: (made) => (client = made) });
  } catch (error) {
    if (tidyingUp) return await tidyingUp;
    for (const { name, output } of actors)
      if (output) console.error(`--- the last lines of ${name}\n${output.split('\n').slice(-30).join('\n')}`);
    await tidyUp();
    console.error(expectations.lines().join('\n'));
    throw error;
  }
  const late = await tidyUp();
  expectations.expect(
    `every process ended by itself after SIGTERM${late.length > 0 ? ` (not: ${late.join(', ')})` : ''}`,
    late.length === 0,
  );

  heading('What was to be seen');
  console.log(expectations.lines().join('\n'));
  if (!expectations.areMet) throw new Failure('the demo did not show everything it should');
  console.log(`\nRead ${EXAMPLE} for the two apps behind this; \`npm start\` starts a commander for your own.`);
  process.exit(0);
});

async function buildExample() {
  const stamp = `${EXAMPLE}/dist/.built`;
  const parts = ['agent', 'api', 'sites', 'tsconfig.json'].map((part) => `${EXAMPLE}/${part}`);
  const builtFrom = hashOf(...parts, 'tsconfig.json', 'src/sdk', 'src/contract', 'package-lock.json');
  if (isStamped(stamp, builtFrom)) return;
  say('building the example');
  const code = await runProgram(process.execPath, [
    inCheckout('node_modules/typescript/bin/tsc'),
    '-p',
    inCheckout(EXAMPLE),
  ]);
  if (code !== 0) throw new Failure(`the example does not compile (exit code ${code})`);
  writeStamp(stamp, builtFrom);
}

async function show({ start, redisUrl, expectations, keep }) {
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
  keep(client);

  heading(`Schedules that the API has declared (every ${EVERY_MS / 1_000} s)`);
  const schedules = await eventually(async () => {
    const { items } = await client.schedules.list({ tag: 'hot-list' });
    return items.length === KEYS.length ? items : undefined;
  }, 10_000);
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
  }, 20_000);
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
  }, 20_000);
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
  }, 10_000);
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

/** What `look` returns, as soon as it is something; undefined after `timeoutMs`. */
async function eventually(look, timeoutMs) {
  const deadlineAt = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || Date.now() >= deadlineAt) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
